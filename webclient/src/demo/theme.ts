// Light or dark: the system's until the person chooses; the choice is remembered.
type Theme = 'light' | 'dark';

const key = 'liveproof-theme'; // public/theme.js reads it before the first paint

export function bindTheme(button: HTMLElement, ...followers: HTMLElement[]): void {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen === 'light' || chosen === 'dark') apply(chosen, followers);
  button.addEventListener('click', () => {
    const theme: Theme = current() === 'dark' ? 'light' : 'dark';
    apply(theme, followers);
    remember(theme);
  });
}

function current(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function apply(theme: Theme, followers: HTMLElement[]): void {
  document.documentElement.dataset['theme'] = theme;
  for (const el of followers) el.setAttribute('theme', theme);
}

function remember(theme: Theme): void {
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
}
