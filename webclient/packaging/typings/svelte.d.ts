// Templates of Svelte 5: import type {} from '@liveproof/liveness-check/svelte';
import type { HTMLAttributes } from 'svelte/elements';
import type { LivenessCheck } from './index.js';
import type { LivenessCheckHandlers, LivenessCheckProps, LivenessStatusHandlers, LivenessStatusProps } from './props.js';
import type { LivenessStatus } from './status/index.js';

export type { LivenessCheckHandlers, LivenessCheckProps, LivenessStatusHandlers, LivenessStatusProps };

declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'liveness-check': Omit<HTMLAttributes<LivenessCheck>, keyof LivenessCheckProps> & LivenessCheckProps & LivenessCheckHandlers;
    'liveness-status': Omit<HTMLAttributes<LivenessStatus>, keyof LivenessStatusProps> & LivenessStatusProps & LivenessStatusHandlers;
  }
}
