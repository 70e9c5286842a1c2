// Templates of Vue 3: import type {} from '@liveproof/liveness-check/vue';
import type { HTMLAttributes, PublicProps } from 'vue';
import type { LivenessCheck, LivenessEventMap } from './index.js';
import type { LivenessCheckProps } from './props.js';

export type { LivenessCheckProps };

type Listeners = { [K in keyof LivenessEventMap as `on${Capitalize<K>}`]?: ((event: LivenessEventMap[K]) => void) | undefined };

type LivenessCheckComponent = new () => LivenessCheck & {
  $props: Omit<HTMLAttributes, keyof LivenessCheckProps> & LivenessCheckProps & PublicProps & Listeners;
};

declare module 'vue' {
  interface GlobalComponents {
    'liveness-check': LivenessCheckComponent;
    LivenessCheck: LivenessCheckComponent;
  }
}
