// JSX of React 19: import type {} from '@liveproof/liveness-check/react';
import type { DetailedHTMLProps, HTMLAttributes } from 'react';
import type { LivenessCheck } from './index.js';
import type { LivenessCheckHandlers, LivenessCheckProps } from './props.js';

export type { LivenessCheckHandlers, LivenessCheckProps };

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'liveness-check': DetailedHTMLProps<HTMLAttributes<LivenessCheck>, LivenessCheck> & LivenessCheckProps & LivenessCheckHandlers;
    }
  }
}
