const { origin, codec } = await (await fetch('/settings')).json();
await import(`${origin}/liveness-check.js`);
document.body.innerHTML = `<liveness-check session-url="/session" codec="${codec}" auto-start></liveness-check>`;
