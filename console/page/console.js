// Asks for the same page again every few seconds and replaces its live parts. The server made the text of both pages safe.
'use strict';
(() => {
  const period = 1000 * Number(document.body.dataset.refresh);
  const box = document.getElementById('refresh');
  if (!period || !box) return;
  box.parentElement.hidden = false;

  // A part in which the reader has selected text keeps its content.
  const busy = (part) => {
    const chosen = getSelection();
    return chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode);
  };

  // replace keeps the focus and the places of scrolled tables. Links are known by their address, tables by their name.
  const replace = (part, next) => {
    const nameOf = (x) => x.getAttribute('href') ?? x.getAttribute('aria-label');
    const focused = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    const scrolled = [...part.querySelectorAll('.scroll')].map((x) => [x.scrollLeft, x.scrollTop]);
    part.replaceChildren(...document.adoptNode(next).childNodes);
    part.querySelectorAll('.scroll').forEach((x, i) => x.scrollTo(...(scrolled[i] ?? [0, 0])));
    if (focused === null) return;
    [...part.querySelectorAll('a, .scroll')].find((x) => nameOf(x) === focused)?.focus({ preventScroll: true });
  };

  const refresh = async () => {
    const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(10000) });
    if (answer.redirected || answer.status === 404) return location.reload(); // the login has ended, or the record is gone
    if (!answer.ok) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const part of document.querySelectorAll('[data-live]')) {
      const next = page.getElementById(part.id);
      if (next && !busy(part)) replace(part, next);
    }
    return page.body.dataset.refresh !== undefined; // a session that has ended stays as it is
  };

  const later = () =>
    setTimeout(async () => {
      let more = true;
      if (box.checked && !document.hidden) {
        try {
          more = await refresh();
          document.body.classList.remove('stale');
        } catch {
          document.body.classList.add('stale');
        }
      }
      if (more === false) box.parentElement.hidden = true;
      else later();
    }, period);
  later();
})();
