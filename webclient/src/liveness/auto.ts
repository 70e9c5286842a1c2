// Registers <liveness-check> on import: what <script type="module"> loads.
import { define } from './index';

export * from './index';

define();
