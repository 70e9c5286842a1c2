// What a framework's template may set on the elements: attributes, and the properties that no attribute can carry.
import type { Facing, GetSession, LivenessEventMap, SessionAnswer, SessionHeaders, Texts } from './index.js';
import type { EventSourceOf, LivenessStatusEventMap, StatusTexts } from './status/index.js';

export interface LivenessCheckProps {
  'session-url'?: string | undefined;
  sessionUrl?: string | undefined;
  credentials?: RequestCredentials | undefined;
  lang?: string | undefined;
  theme?: 'light' | 'dark' | undefined;
  facing?: Facing | undefined;
  'auto-start'?: boolean | undefined;
  autoStart?: boolean | undefined;
  'allow-repeat'?: boolean | undefined;
  allowRepeat?: boolean | undefined;
  'no-light'?: boolean | 'auto' | undefined;
  noLight?: boolean | undefined;
  codec?: string | undefined;
  session?: SessionAnswer | null | undefined;
  getSession?: GetSession | null | undefined;
  headers?: SessionHeaders | null | undefined;
  texts?: Texts | ((lang: string) => Texts) | null | undefined;
}

export type LivenessCheckHandlers = {
  [K in keyof LivenessEventMap as `on${K}`]?: ((event: LivenessEventMap[K]) => void) | undefined;
};

export interface LivenessStatusProps {
  'events-url'?: string | undefined;
  eventsUrl?: string | undefined;
  credentials?: RequestCredentials | undefined;
  lang?: string | undefined;
  theme?: 'light' | 'dark' | undefined;
  source?: EventSourceOf | null | undefined;
  texts?: StatusTexts | ((lang: string) => StatusTexts) | null | undefined;
}

export type LivenessStatusHandlers = {
  [K in keyof LivenessStatusEventMap as `on${K}`]?: ((event: LivenessStatusEventMap[K]) => void) | undefined;
};
