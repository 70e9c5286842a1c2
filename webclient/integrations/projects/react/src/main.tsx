import { define, type Texts } from '@liveproof/liveness-check';
import type {} from '@liveproof/liveness-check/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';

define();
const texts: Texts = { start: 'Start in react' };

function App() {
  const [result, setResult] = useState('');
  return (
    <>
      <liveness-check session-url="/session" allow-repeat texts={texts} onliveness-result={(e) => setResult(e.detail.result)}>
        <p slot="error">Ours</p>
      </liveness-check>
      <output>{result}</output>
    </>
  );
}

// @ts-expect-error -- the typings know the themes
export const wrong = <liveness-check theme="blue" />;

document.documentElement.dataset['rendered'] = renderToString(<liveness-check session-url="/session" />);
createRoot(document.querySelector('#app')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
