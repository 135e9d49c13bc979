// Brings a login from a window of its own into the frame that opened it (docs/frames.md). The ticket travels between two
// pages of this origin only: the window names it as the target, the frame checks it, and that the window is its own.
"use strict";

(() => {
  const TYPE = "cobot_oidc ticket";

  function handOver(element) {
    if (!window.opener) return; // the provider cut it off: the page says to click once more
    window.opener.postMessage({ type: TYPE, ticket: element.dataset.ticket }, location.origin);
    window.close();
  }

  function awaitLogin(button) {
    let loginWindow = null;

    function show(state) {
      for (const text of document.querySelectorAll("[data-when]")) text.hidden = text.dataset.when !== state;
    }

    async function redeem(ticket) {
      const headers = button.dataset.csrfToken ? { "X-CSRFToken": button.dataset.csrfToken } : {};
      const answer = await fetch(button.dataset.redeem, {
        method: "POST",
        referrerPolicy: "same-origin", // over https, Flask-WTF asks for the Referer that the page itself does not send
        headers: { Accept: "application/json", ...headers },
        body: new URLSearchParams({ ticket }),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      location.replace(button.dataset.next);
    }

    button.addEventListener("click", (event) => {
      event.preventDefault();
      loginWindow = window.open(button.href, "_blank", "popup,width=520,height=720");
      show(loginWindow ? "waiting" : "blocked");
    });

    window.addEventListener("message", (event) => {
      if (event.origin !== location.origin || !loginWindow || event.source !== loginWindow) return;
      if (event.data?.type !== TYPE || typeof event.data.ticket !== "string") return;
      // The frame may have lost its cookie, or the login took too long: the page comes again with a button that fits.
      redeem(event.data.ticket).catch(() => location.replace(button.dataset.again));
    });
  }

  const ticket = document.querySelector("[data-ticket]");
  const button = document.querySelector("[data-redeem]");
  if (ticket) handOver(ticket);
  if (button) awaitLogin(button);
})();
