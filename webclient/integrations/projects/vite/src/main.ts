import { define } from '@liveproof/liveness-check';
import { defineStatus } from '@liveproof/liveness-check/status';

define();
defineStatus();

const result = document.createElement('output');
result.className = 'result';
const agent = document.createElement('output');
agent.className = 'agent';

const check = document.createElement('liveness-check');
check.sessionUrl = '/session';
check.texts = { start: 'Start in vite' };
check.addEventListener('liveness-result', (e) => {
  result.textContent = e.detail.result;
  status.eventsUrl = '/events';
});

const status = document.createElement('liveness-status');
status.texts = { label: 'Agent in vite' };
status.addEventListener('liveness-status', (e) => (agent.textContent = e.detail.status));

document.querySelector('#app')?.append(check, result, status, agent);
