import { define, type Texts } from '@liveproof/liveness-check';
import type {} from '@liveproof/liveness-check/react';
import { defineStatus, type StatusTexts } from '@liveproof/liveness-check/status';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';

define();
defineStatus();
const texts: Texts = { start: 'Start in react' };
const agentTexts: StatusTexts = { label: 'Agent in react' };

function App() {
  const [result, setResult] = useState('');
  const [status, setStatus] = useState('');
  return (
    <>
      <liveness-check session-url="/session" allow-repeat texts={texts} onliveness-result={(e) => setResult(e.detail.result)}>
        <p slot="error">Ours</p>
      </liveness-check>
      <output className="result">{result}</output>
      {result && <liveness-status events-url="/events" texts={agentTexts} onliveness-status={(e) => setStatus(e.detail.status)} />}
      <output className="agent">{status}</output>
    </>
  );
}

// @ts-expect-error -- the typings know the themes
export const wrong = <liveness-check theme="blue" />;
// @ts-expect-error -- and the statuses
export const unheard = <liveness-status onliveness-status={(e) => e.detail.status === 'passed'} />;

document.documentElement.dataset['rendered'] = renderToString(<liveness-check session-url="/session" />);
createRoot(document.querySelector('#app')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
