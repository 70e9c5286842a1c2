import { define } from '@liveproof/liveness-check';

define();
const check = document.createElement('liveness-check');
check.sessionUrl = '/session';
check.texts = { start: 'Start in vite' };
const result = document.createElement('output');
check.addEventListener('liveness-result', (e) => (result.textContent = e.detail.result));
document.querySelector('#app')?.append(check, result);
