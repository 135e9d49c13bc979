// Progress where something takes long, and "Show more" without leaving the page. Without this script, the link leads to
// a page with the next bookings.
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

place?.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-more]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab is meant
  event.preventDefault();
  if (line.hidden) showMore(link);
});

async function showMore(link) {
  beginLoading(link.dataset.loading);
  try {
    const response = await fetch(link.href, {
      headers: { "X-Requested-With": "XMLHttpRequest" },
      signal: AbortSignal.timeout(LONGEST_WAIT),
    });
    // The login has expired, or the membership has ended: the page itself says what to do.
    if (response.status === 401 || response.status === 403) return location.assign(link.href);
    if (!response.ok) throw new Error(`status ${response.status}`);
    append(await response.text());
    endLoading("");
  } catch {
    link.textContent = link.dataset.again;
    endLoading(link.dataset.failed);
  }
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
