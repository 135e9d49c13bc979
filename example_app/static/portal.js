// Progress where something takes long, "Show more" without leaving the page, and when things are taken on the day that
// somebody chooses. Without this script, the link leads to a page with the next bookings, and Cobot refuses what is taken.
const place = document.getElementById("bookings");
const line = document.getElementById("progress");
const status = document.getElementById("status");
const LONGEST_WAIT = 20_000; // milliseconds

document.querySelector("form[data-busy]")?.addEventListener("submit", (event) => {
  const button = event.target.querySelector("button");
  if (button.ariaDisabled === "true") return event.preventDefault(); // a second click
  button.ariaDisabled = "true";
  line.hidden = false;
  event.target.querySelector("[role=status]").textContent = event.target.dataset.busy;
});

document.querySelector("form.fields [name=day]")?.addEventListener("change", async ({ target }) => {
  const places = document.querySelectorAll("[data-resource]");
  if (!target.value) return;
  try {
    const url = new URL(target.form.action);
    url.searchParams.set("day", target.value);
    const taken = document.createElement("template");
    taken.innerHTML = await piece(url);
    const told = new Map([...taken.content.children].map((each) => [each.dataset.resource, each.textContent]));
    for (const each of places) each.textContent = told.get(each.dataset.resource) ?? "";
    status.textContent = "";
  } catch {
    for (const each of places) each.textContent = "";
    status.textContent = status.dataset.failed;
  }
});

place?.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-more]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is meant
  event.preventDefault();
  if (line.hidden) showMore(link);
});

async function showMore(link) {
  beginLoading(link.dataset.loading);
  try {
    append(await piece(link.href));
    endLoading("");
  } catch {
    link.textContent = link.dataset.again;
    endLoading(link.dataset.failed);
  }
}

async function piece(url) {
  const response = await fetch(url, {
    headers: { "X-Requested-With": "XMLHttpRequest" },
    signal: AbortSignal.timeout(LONGEST_WAIT),
  });
  if (response.status === 401 || response.status === 403) {
    location.assign(url); // the login has expired, or the membership has ended: the page itself says what to do
    await new Promise(() => {});
  }
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.text();
}

function append(html) {
  const piece = document.createElement("template");
  piece.innerHTML = html; // made by our own server, which escapes what people write
  const [first, ...others] = piece.content.querySelectorAll("li");
  const more = piece.content.querySelector(".more");
  if (first) place.querySelector("ol").append(first, ...others);
  place.querySelector(".more").replaceWith(more);
  const next = first ?? more;
  next.tabIndex = -1;
  next.focus();
}

function beginLoading(words) {
  line.hidden = false;
  place.setAttribute("aria-busy", "true");
  status.textContent = words;
}

function endLoading(words) {
  line.hidden = true;
  place.removeAttribute("aria-busy");
  status.textContent = words;
}
