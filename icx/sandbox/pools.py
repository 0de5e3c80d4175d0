"""Names, places and streets the generator draws from; weights fall with the place in the list."""

from __future__ import annotations

from typing import NamedTuple


class Culture(NamedTuple):
    """First and last names that go together; each `name` or `name|latin form for an address`."""

    weight: float
    first: str
    last: str


class City(NamedTuple):
    """A city as people type it: share of contacts, state (ten characters at most), postal code pattern, country."""

    name: str
    weight: float
    state: str | None
    postal: str
    country: str
    region: str


CULTURES = (
    Culture(
        58,
        "Mary James Jennifer Michael Linda Robert Ashley David Emma William Olivia John Sophia Daniel Grace "
        "Joseph Hannah Thomas Ruth Charles Alice Henry Maya Jack Ella Samuel Zoe Nathan Ada Owen Jo Bo",
        "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Martin Lee "
        "Thompson White Harris Clark Lewis Walker Hall Young Allen King Wright Hill Green Baker Nguyen Li",
    ),
    Culture(
        9,
        "José|jose María|maria Luis Carmen Jesús|jesus Lucía|lucia Andrés|andres Sofía|sofia Íñigo|inigo Ana",
        "García|garcia Martínez|martinez López|lopez Hernández|hernandez Pérez|perez Muñoz|munoz "
        "Núñez|nunez Ibáñez|ibanez Peña|pena",
    ),
    Culture(
        6,
        "Siobhán|siobhan Conor Aoife Patrick Niamh Seán|sean Kathleen D'Arcy",
        "O'Brien O'Neill O'Connor O'Malley McCarthy Mac-Gabhann D'Angelo Ó'Súilleabháin|osuilleabhain",
    ),
    Culture(
        6,
        "Jürgen|juergen Anke Björn|bjoern Zoë|zoe Łukasz|lukasz Małgorzata|malgorzata Günter|guenter Åsa|asa "
        "Anne-Marie Jean-Luc",
        "Müller|mueller Groß|gross Schäfer|schaefer Wójcik|wojcik Kowalski Østergård|oestergaard "
        "Żółkiewska|zolkiewska Dvořák|dvorak Lefèvre|lefevre Çelik|celik",
    ),
    Culture(
        4,
        "Анна|anna Дмитрий|dmitri Ольга|olga Иван|ivan Олександр|oleksandr",
        "Иванова|ivanova Петров|petrov Шевченко|shevchenko Кузнецов|kuznetsov",
    ),
    Culture(
        4,
        "伟|wei 芳|fang 娜|na 秀英|xiuying さくら|sakura 健|ken",
        "王|wang 李|li 张|zhang 佐藤|sato 鈴木|suzuki 陈|chen",
    ),
    Culture(
        3,
        "محمد|mohammed فاطمة|fatima أحمد|ahmed نور|nour דוד|david נועה|noa",
        "الحسن|alhassan خليل|khalil منصور|mansour כהן|cohen לוי|levi",
    ),
    Culture(3, "Γιώργος|giorgos Ελένη|eleni Νίκος|nikos", "Παπαδόπουλος|papadopoulos Οικονόμου|oikonomou"),
    Culture(3, "आरव|aarav प्रिया|priya அருண்|arun", "शर्मा|sharma पटेल|patel முருகன்|murugan"),
    Culture(2, "민준|minjun 서연|seoyeon 지후|jihoo", "김|kim 이|lee 박|park"),
    Culture(2, "Chidi Ngọc|ngoc Wanjirũ|wanjiru Ọlá|ola", "Okafor Nguyễn|nguyen Adébáyọ̀|adebayo Mwangi"),
)

CITIES = (
    City("Durham", 3.3, "NC", "277##", "US", "South"),
    City("Raleigh", 9.0, "NC", "276##", "US", "South"),
    City("Charlotte", 7.5, "NC", "282##", "US", "South"),
    City("New York", 7.0, "NY", "100##", "US", "Northeast"),
    City("Chapel Hill", 4.0, "NC", "275##", "US", "South"),
    City("Atlanta", 4.0, "GA", "303##", "US", "South"),
    City("Chicago", 3.5, "IL", "606##", "US", "Midwest"),
    City("Denver", 3.5, "CO", "802##", "US", "West"),
    City("Portland", 3.0, "OR", "972##", "US", "West"),
    City("Seattle", 3.0, "WA", "981##", "US", "West"),
    City("Boston", 2.5, "MA", "021##", "US", "Northeast"),
    City("Asheville", 2.5, "NC", "288##", "US", "South"),
    City("Greensboro", 2.5, "NC", "274##", "US", "South"),
    City("Washington", 2.0, "DC", "200##", "US", "South"),
    City("Austin", 2.0, "TX", "787##", "US", "South"),
    City("Richmond", 1.5, "VA", "232##", "US", "South"),
    City("Boulder", 1.5, "CO", "803##", "US", "West"),
    City("Salt Lake City", 1.2, "UT", "841##", "US", "West"),
    City("Toronto", 1.5, "Ontario", "M5V #R#", "CA", "Ontario"),
    City("Montréal", 1.0, "Québec", "H2X #Y#", "CA", "Québec"),
    City("London", 1.2, None, "SW1A #AA", "GB", "England"),
    City("Durham, England", 0.2, "Durham", "DH# #LE", "GB", "England"),
    City("München", 0.6, "Bayern", "803##", "DE", "Bayern"),
    City("Łódź", 0.3, None, "90-0##", "PL", "łódzkie"),
    City("São Paulo", 0.3, "SP", "01##0-000", "BR", "Sudeste"),
    City("東京", 0.3, "東京都", "100-00##", "JP", "関東"),
    City("Coeur d'Alene", 0.4, "ID", "838##", "US", "West"),
    City("durham", 0.15, "nc", "277##", "US", "South"),
    City("RALEIGH ", 0.15, "NC", "276##", "US", "South"),
)

STREETS = (
    "Main St",
    "Trail Rd",
    "Oak Ave",
    "W Chapel Hill St",
    "Ninth St",
    "King's Mill Ln",
    "5th Avenue",
    "Élysée Ct",
    "O'Malley Way",
    'The "Old" Mill',
)
BUSINESSES = (
    "Blue Ridge Outfitters",
    "Trail & Co.",
    "Smith, Jones & Sons",
    'The "Gear" Shed',
    "Eno River Guides",
    "Ünder Canvas GmbH",
    "山の店",
)
PREFIXES = ("Ms.", "Mr.", "Dr.", "Mx.", "Prof.")
SUFFIXES = ("Jr.", "Sr.", "III", "PhD")

DOMAINS = (
    ("example.com", 44),
    ("example.org", 16),
    ("example.net", 12),
    ("mail.example.com", 10),
    ("post.example.org", 6),
    ("inbox.example.net", 5),
    ("students.uni.example.org", 4),
    ("Example.com", 2),
    ("corp.example.net", 1),
)

# What the service holds and nobody could mail: no e-mail function may evaluate these.
UNUSABLE = (
    None,
    "",
    "john..doe{n}@example.com",
    ".ada{n}@example.com",
    "jo{n}.@example.org",
    "no-at-sign-{n}.example.com",
    "@mx{n}.example.net",
    "someone{n}@",
    "one{n}@example.com, two{n}@example.com",
    "two at{n}@example.org",
)

# Odd addresses that are addresses all the same.
ODD_LOCALS = (
    "o'brien{n}",
    '"quoted local {n}"',
    "star*{n}",
    "{n}",
    "a{n}+b+c",
    "weird!#$%&{n}",
    "under_score_{n}",
    "jürgen{n}",
    "UPPER{n}",
    "x{n}=y",
)
