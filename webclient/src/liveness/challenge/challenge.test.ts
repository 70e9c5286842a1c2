import { describe, expect, it } from 'vitest';
import { keyframes, parseChallenge } from './challenge';

const good = {
  id: '0af7651916cd43dd8448eb211c80319c',
  kind: 'flash',
  attempt: 2,
  begins_in: 0.9,
  duration: 3.2,
  colours: [
    { at: 0, colour: '#9b9b9b' },
    { at: 0.8, colour: '#ff6e6e' },
    { at: 3.2, colour: '#9b9b9b' },
  ],
};

describe('a challenge by light', () => {
  it('begins when the message says', () => {
    expect(parseChallenge(good, 5000)).toMatchObject({ kind: 'flash', attempt: 2, begins: 5900, duration: 3200 });
  });

  it('is an animation', () => {
    expect(keyframes(parseChallenge(good, 0)!)).toEqual([
      { offset: 0, backgroundColor: '#9b9b9b' },
      { offset: 0.25, backgroundColor: '#ff6e6e' },
      { offset: 1, backgroundColor: '#9b9b9b' },
    ]);
  });

  it('of another kind is not known', () => {
    expect(parseChallenge({ id: 'x', kind: 'turn' }, 0)).toBeNull();
  });

  const bad: Record<string, unknown> = {
    nothing: null,
    'no id': { ...good, id: 7 },
    'no end': { ...good, duration: Infinity },
    'too long': { ...good, duration: 61 },
    'never begins': { ...good, begins_in: 1e9 },
    'no colours': { ...good, colours: [] },
    'too many colours': { ...good, colours: Array.from({ length: 257 }, () => good.colours[0]) },
    'times that fall': { ...good, colours: [...good.colours, good.colours[0]] },
    'a colour after the end': { ...good, colours: [good.colours[0], { at: 3.3, colour: '#9b9b9b' }] },
    'a colour that is none': { ...good, colours: [good.colours[0], { at: 1, colour: 'url(https://example.org)' }] },
    'a colour that is null': { ...good, colours: [good.colours[0], null] },
  };
  for (const [name, value] of Object.entries(bad)) {
    it(`with ${name} is refused`, () => expect(() => parseChallenge(value, 0)).toThrow(TypeError));
  }
});
