// Templates of Svelte 5: import type {} from '@liveproof/liveness-check/svelte';
import type { HTMLAttributes } from 'svelte/elements';
import type { LivenessCheck } from './index.js';
import type { LivenessCheckHandlers, LivenessCheckProps } from './props.js';

export type { LivenessCheckHandlers, LivenessCheckProps };

declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'liveness-check': Omit<HTMLAttributes<LivenessCheck>, keyof LivenessCheckProps> & LivenessCheckProps & LivenessCheckHandlers;
  }
}
