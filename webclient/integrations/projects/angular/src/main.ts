import { Component, CUSTOM_ELEMENTS_SCHEMA, provideBrowserGlobalErrorListeners, signal } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import type { LivenessEventMap, Texts } from '@liveproof/liveness-check';
import '@liveproof/liveness-check/auto';
import { defineStatus, type LivenessStatusEventMap, type StatusTexts } from '@liveproof/liveness-check/status';

defineStatus();

@Component({
  selector: 'app-root',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <liveness-check session-url="/session" [texts]="texts" [allowRepeat]="true" (liveness-result)="show($event)"></liveness-check>
    <output class="result">{{ result() }}</output>
    @if (result()) {
      <liveness-status events-url="/events" [texts]="agentTexts" (liveness-status)="showAgent($event)"></liveness-status>
    }
    <output class="agent">{{ status() }}</output>
  `,
})
class App {
  readonly texts: Texts = { start: 'Start in angular' };
  readonly agentTexts: StatusTexts = { label: 'Agent in angular' };
  readonly result = signal('');
  readonly status = signal('');

  show(e: LivenessEventMap['liveness-result']): void {
    this.result.set(e.detail.result);
  }
  showAgent(e: LivenessStatusEventMap['liveness-status']): void {
    this.status.set(e.detail.status);
  }
}

bootstrapApplication(App, { providers: [provideBrowserGlobalErrorListeners()] }).catch((err: unknown) => console.error(err));
