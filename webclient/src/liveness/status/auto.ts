// Registers <liveness-status> on import: what <script type="module"> loads.
import { defineStatus } from './index';

export * from './index';

defineStatus();
