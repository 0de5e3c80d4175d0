-- Expressions over one row of icontact_users, here called u.

-- name: ic_contact_id
-- type: text
-- description: iContact's id of the contact (identity key)
u.id::varchar

-- name: email
-- type: text
-- description: the address in lower case, without a display name; empty when it is none (identity key)
-- pii: yes
u.email_key

-- name: email_domain
-- type: text
-- description: what follows the @ of the address
u.email_domain

-- name: prefix
-- type: text
-- description: form of address, such as Dr
u.prefix

-- name: first_name
-- type: text
-- description: first name
-- pii: yes
u.first_name

-- name: last_name
-- type: text
-- description: last name
-- pii: yes
u.last_name

-- name: suffix
-- type: text
-- description: suffix of the name, such as Jr
u.suffix

-- name: street_address
-- type: text
-- description: street, first line
-- pii: yes
u.street

-- name: address_2
-- type: text
-- description: street, second line
-- pii: yes
u.street_line_2

-- name: city
-- type: text
-- description: city
u.city

-- name: region
-- type: text
-- description: state or region
u.state

-- name: postal_code
-- type: text
-- description: postal code
u.postal_code

-- name: phone
-- type: text
-- description: telephone number
-- pii: yes
u.phone

-- name: fax
-- type: text
-- description: fax number
-- pii: yes
u.fax

-- name: ic_business
-- type: text
-- description: business
u.business

-- name: ic_status
-- type: text
-- description: status of the contact in iContact
u.status

-- name: ic_bounce_count
-- type: text
-- description: bounces as iContact counts them; compare email_bouncect
u.bounce_count

-- name: ic_user_created
-- type: time
-- description: when the contact was created in iContact
u.create_date
