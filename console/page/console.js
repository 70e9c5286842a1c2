// Asks for the same page again every few seconds and replaces its live parts. The server made the text of both pages safe.
"use strict";
(() => {
  const period = 1000 * Number(document.body.dataset.refresh);
  const box = document.getElementById("refresh");
  if (!period || !box) return;
  box.parentElement.hidden = false;

  // A part that the reader is in keeps its content: its focus, its selected text, its place in a scrolled table.
  const busy = (part) => {
    const chosen = getSelection();
    return part.contains(document.activeElement) ||
      (chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode));
  };

  const refresh = async () => {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
    if (answer.redirected) return location.reload(); // the login has ended
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = page.getElementById(part.id);
      if (!next || busy(part)) continue;
      const scrolled = [...part.querySelectorAll(".scroll")].map((x) => [x.scrollLeft, x.scrollTop]);
      part.replaceChildren(...document.adoptNode(next).childNodes);
      part.querySelectorAll(".scroll").forEach((x, i) => x.scrollTo(...(scrolled[i] ?? [0, 0])));
    }
    return page.body.dataset.refresh !== undefined; // a session that has ended stays as it is
  };

  const later = () => setTimeout(async () => {
    let more = true;
    if (box.checked && !document.hidden) {
      try {
        more = await refresh();
        document.body.classList.remove("stale");
      } catch {
        document.body.classList.add("stale");
      }
    }
    if (more === false) box.parentElement.hidden = true;
    else later();
  }, period);
  later();
})();
