// Templates of Vue 3: import type {} from '@liveproof/liveness-check/vue';
import type { HTMLAttributes, PublicProps } from 'vue';
import type { LivenessCheck, LivenessEventMap } from './index.js';
import type { LivenessCheckProps, LivenessStatusProps } from './props.js';
import type { LivenessStatus, LivenessStatusEventMap } from './status/index.js';

export type { LivenessCheckProps, LivenessStatusProps };

type Listeners<M> = { [K in keyof M & string as `on${Capitalize<K>}`]?: ((event: M[K]) => void) | undefined };

type LivenessCheckComponent = new () => LivenessCheck & {
  $props: Omit<HTMLAttributes, keyof LivenessCheckProps> & LivenessCheckProps & PublicProps & Listeners<LivenessEventMap>;
};

type LivenessStatusComponent = new () => LivenessStatus & {
  $props: Omit<HTMLAttributes, keyof LivenessStatusProps> & LivenessStatusProps & PublicProps & Listeners<LivenessStatusEventMap>;
};

declare module 'vue' {
  interface GlobalComponents {
    'liveness-check': LivenessCheckComponent;
    LivenessCheck: LivenessCheckComponent;
    'liveness-status': LivenessStatusComponent;
    LivenessStatus: LivenessStatusComponent;
  }
}
