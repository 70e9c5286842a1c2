// What the shadow root is built from.

// The oval's outline in a 300×400 box, from the top, clockwise; pathLength 100
// makes the progress a percentage.
const outline = 'M150 1 A149 199 0 0 1 150 399 A149 199 0 0 1 150 1';

export const template = `
<section class="card" part="card">
  <div class="stage" part="stage">
    <video part="video" playsinline muted autoplay aria-hidden="true"></video>
    <div class="oval" part="oval">
      <div class="figure" aria-hidden="true">
        <svg class="face" viewBox="0 0 64 64"><path d="M21 25v2M43 25v2M32.5 27v8q0 2-3 2M24 45q8 5.5 16 0"/></svg>
        <svg class="sign tick" viewBox="0 0 48 48"><path d="M8 26l11 11 21-25"/></svg>
        <svg class="sign again" viewBox="0 0 48 48"><path d="M39 24a15 15 0 1 1-5-11.2M35 5v9h-9"/></svg>
        <svg class="sign cross" viewBox="0 0 48 48"><path d="M12 12l24 24M36 12L12 36"/></svg>
        <svg class="sign bang" viewBox="0 0 48 48"><path d="M24 9v19M24 38v.1"/></svg>
      </div>
      <svg class="ring" viewBox="0 0 300 400" role="progressbar" aria-valuemin="0" aria-valuemax="100">
        <path class="rail" pathLength="100" d="${outline}"/>
        <path class="bar" pathLength="100" d="${outline}"/>
      </svg>
    </div>
    <div class="hint" part="hint" aria-hidden="true"></div>
    <div class="cameras" part="cameras" hidden>
      <span class="control">
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 7h11v10H3zM14 11l6-3v8l-6-3"/></svg>
        <select part="camera-list"></select>
      </span>
      <button class="control" type="button" part="camera-switch">
        <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 10a8 8 0 0 1 14.5-3M20 14a8 8 0 0 1-14.5 3M19 3v4.5h-4.5M5 21v-4.5h4.5"/></svg>
      </button>
    </div>
  </div>
  <div class="foot" part="foot">
    <div class="words" part="words">
      <h2 part="title" tabindex="-1"></h2>
      <p part="text"></p>
      <slot name="start"></slot>
      <slot name="result"></slot>
      <slot name="error"></slot>
    </div>
    <button class="main" type="button" part="button"></button>
  </div>
  <div class="sr-only" role="status" aria-live="polite"></div>
</section>`;
