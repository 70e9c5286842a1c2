// The looks that a page can set for both components: --liveness-<name>. The styles use --_<name>.

/** Each colour by day and by night. */
const colours: Readonly<Record<string, readonly [light: string, dark: string]>> = {
  accent: ['#2f55d4', '#9db2ff'],
  'on-accent': ['#fff', '#10162b'],
  surface: ['#fff', '#191b20'],
  text: ['#15171c', '#f0f1f4'],
  muted: ['#5b606b', '#a3a8b4'],
  line: ['#dfe1e6', '#31343c'],
  success: ['#17794a', '#5fd39a'],
  warning: ['#96600a', '#f0b757'],
  danger: ['#b3352b', '#ff9186'],
  'on-danger': ['#fff', '#2a0b08'],
  stage: ['#e9ebef', '#22252b'],
  'stage-line': ['#b6bac4', '#555b68'],
};

/** What is the same by day and by night. */
const shapes = { radius: '20px', font: 'inherit' };

/** What a variable is where the page does not set it, by day. */
export const defaults: Readonly<Record<string, string>> = { ...pick(0), ...shapes };

/** The variables as a style sheet: dark where the element's theme, or else the system, says so. */
export const paletteStyles = `:host{${variables(defaults)}color-scheme:light}
@media (prefers-color-scheme:dark){:host(:not([theme=light])){${variables(pick(1))}color-scheme:dark}}
:host([theme=dark]){${variables(pick(1))}color-scheme:dark}
`;

function pick(shade: 0 | 1): Record<string, string> {
  return Object.fromEntries(Object.entries(colours).map(([name, shades]) => [name, shades[shade]]));
}

function variables(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `--_${name}:var(--liveness-${name},${value});`)
    .join('');
}
