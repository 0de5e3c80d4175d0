// Runs inside the page: what each section says, whether it sticks out, its faintest text, what tried to run or load.
window.hits = 0;
window.hit = () => { window.hits += 1; };
window.asked = [];
document.addEventListener("securitypolicyviolation", (event) => window.asked.push(event.blockedURI));

const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
const brush = canvas.getContext("2d", { willReadFrequently: true });

function rgba(color) {
  brush.clearRect(0, 0, 1, 1);
  brush.fillStyle = color;
  brush.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = brush.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}

function over(front, back) {
  return [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
}

function behind(element) {
  const layers = [];
  for (let each = element; each; each = each.parentElement) {
    const layer = rgba(getComputedStyle(each).backgroundColor);
    if (layer[3] > 0) layers.push(layer);
    if (layer[3] === 1) break;
  }
  return layers.reduceRight((back, front) => over(front, back), [255, 255, 255, 1]);
}

function luminance([r, g, b]) {
  const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.03928 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}

function contrast(element) {
  const back = behind(element);
  const [a, b] = [luminance(over(rgba(getComputedStyle(element).color), back)), luminance(back)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function faintest(section) {
  let worst = [99, ""];
  const walker = document.createTreeWalker(section, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("style, script, .sr") || !element.getClientRects().length) continue;
    const ratio = contrast(element);
    if (ratio < worst[0]) worst = [ratio, node.data.trim().slice(0, 60)];
  }
  return worst;
}

function scrolls(element) {
  for (let each = element; each && each.tagName !== "SECTION"; each = each.parentElement) {
    if (getComputedStyle(each).overflowX !== "visible") return true;
  }
  return false;
}

function sticksOut(section) {
  const edge = section.getBoundingClientRect().right;
  let most = section.scrollWidth - section.clientWidth;
  for (const each of section.querySelectorAll("*")) {
    if (each.closest("style, .sr") || !each.getClientRects().length || scrolls(each.parentElement)) continue;
    most = Math.max(most, Math.round(each.getBoundingClientRect().right - edge));
  }
  return most;
}

/** Icons that have lost their size, or take more room than an icon. */
function broken(section) {
  const found = [];
  for (const each of section.querySelectorAll("svg.i")) {
    const { width, height } = each.getBoundingClientRect();
    if (each.getClientRects().length && (Math.min(width, height) < 8 || Math.max(width, height) > 40))
      found.push(`an icon of ${Math.round(width)} × ${Math.round(height)} px in ${each.parentElement.className}`);
  }
  return found;
}

window.addEventListener("load", () => {
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
  const told = {};
  for (const section of document.querySelectorAll("section[data-name]")) {
    const [ratio, text] = faintest(section);
    told[section.dataset.name] = {
      text: section.innerText, sticks_out: sticksOut(section), faintest: Math.round(ratio * 100) / 100,
      faintest_text: text, broken: broken(section), hits: window.hits, asked: window.asked,
    };
  }
  const script = document.createElement("script");
  script.type = "application/json";
  script.id = "measured";
  script.textContent = JSON.stringify(told).replaceAll("<", "\\u003c");
  document.body.append(script);
});
