// What the person is to do, as lines in a box of 24 by 24. The picture is mirrored as in a mirror, so the person's left is the screen's.
import type { Movement } from './challenge';

export const pictogram: Readonly<Record<Movement, string>> = {
  left: 'M21 12H3m7-7-7 7 7 7',
  right: 'M3 12h18m-7-7 7 7-7 7',
  nod: 'M12 3v18m-7-7 7 7 7-7',
  closer: 'M9 3H3v6m0-6 6 6M15 3h6v6m0-6-6 6M9 21H3v-6m0 6 6-6M15 21h6v-6m0 6-6-6',
};
