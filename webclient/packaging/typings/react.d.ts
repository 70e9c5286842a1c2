// JSX of React 19: import type {} from '@liveproof/liveness-check/react';
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { LivenessCheck } from './index.js';
import type { LivenessCheckHandlers, LivenessCheckProps, LivenessStatusHandlers, LivenessStatusProps } from './props.js';
import type { LivenessStatus } from './status/index.js';

export type { LivenessCheckHandlers, LivenessCheckProps, LivenessStatusHandlers, LivenessStatusProps };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'liveness-check': DetailedHTMLProps<HTMLAttributes<LivenessCheck>, LivenessCheck> & LivenessCheckProps & LivenessCheckHandlers;
      'liveness-status': DetailedHTMLProps<HTMLAttributes<LivenessStatus>, LivenessStatus> & LivenessStatusProps & LivenessStatusHandlers;
    }
  }
}
