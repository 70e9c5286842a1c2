// Words for every reason, error and state: English and German. A reason code
// comes from the server (reason.go); local hints are the client's own.
import type { ErrorCode } from './errors';
import type { State } from './machine';

export const serverReasons = [
  'no_face', 'multiple_faces', 'face_too_small', 'face_cut_off', 'face_turned', 'too_dark', 'overexposed', 'blurred',
  'face_changed', 'frozen_picture', 'timestamps_backward', 'packet_loss', 'injection_timing', 'settings_mismatch',
  'scorer_failed', 'overload',
  'score_above_threshold', 'score_below_threshold', 'score_near_threshold', 'insufficient_evidence', 'deadline',
  'disconnected', 'no_media', 'unsupported_media', 'server_shutdown', 'internal_error',
] as const;

/** The client's own: the connection stutters, the page is not in view. */
export const localReasons = ['connection_unstable', 'page_hidden'] as const;

export type ReasonCode = (typeof serverReasons)[number] | (typeof localReasons)[number];

interface Words {
  readonly title: string;
  readonly text: string;
}

export interface Catalogue {
  readonly reasons: Readonly<Record<ReasonCode, string>>;
  /** For a code that a newer server sends. */
  readonly unknownReason: string;
  readonly states: Readonly<Record<Exclude<State, 'error'>, Words>>;
  readonly errors: Readonly<Record<ErrorCode, Words>>;
  readonly start: string;
  readonly cancel: string;
  readonly retry: string;
  readonly again: string;
  readonly label: string;
  /** Follows the text of every result. */
  readonly cameraOff: string;
  readonly progress: string;
}

const en: Catalogue = {
  label: 'Liveness check',
  cameraOff: 'Your camera is off.',
  progress: 'Progress of the check',
  start: 'Start camera check',
  cancel: 'Cancel',
  retry: 'Try again',
  again: 'Check again',
  unknownReason: 'Look straight into the camera and hold still.',
  states: {
    idle: { title: 'Ready when you are', text: 'Takes about five seconds. Find even light and hold the camera at eye level.' },
    permission: { title: 'Allow the camera', text: 'Your browser is asking. Choose “Allow” to go on.' },
    connecting: { title: 'Connecting', text: 'Setting up an encrypted connection.' },
    positioning: { title: 'Place your face in the oval', text: 'Look straight into the camera.' },
    checking: { title: 'Hold still', text: 'Keep looking into the camera.' },
    passed: { title: 'Check passed', text: 'A person is in front of the camera.' },
    retry: { title: 'That didn’t quite work', text: 'We could not see enough to decide.' },
    failed: { title: 'We couldn’t confirm a live person', text: 'The check needs a person in front of the camera, not a picture or a screen.' },
  },
  reasons: {
    no_face: 'Move your face into the oval.',
    multiple_faces: 'Make sure you are alone in the picture.',
    face_too_small: 'Come a little closer.',
    face_cut_off: 'Your whole face should be in the picture.',
    face_turned: 'Look straight into the camera.',
    too_dark: 'It’s too dark. Turn towards a light.',
    overexposed: 'Too much light. Turn away from the lamp or window.',
    blurred: 'Hold still, or wipe the camera lens.',
    face_changed: 'Stay in the picture until the check is done.',
    frozen_picture: 'The picture stands still. Move a little.',
    timestamps_backward: 'The video stutters. Close other apps that use the camera.',
    packet_loss: 'The connection is weak. Move closer to your router.',
    injection_timing: 'Use this device’s own camera, without camera software.',
    settings_mismatch: 'Use this device’s own camera, without camera software.',
    scorer_failed: 'One moment, we’re looking again.',
    overload: 'One moment, the service is busy.',
    score_above_threshold: 'A person was in front of the camera.',
    score_below_threshold: 'The picture did not look like a person in front of the camera.',
    score_near_threshold: 'We were not certain. Even light helps.',
    insufficient_evidence: 'We saw too little of your face.',
    deadline: 'The time was up before we could decide.',
    disconnected: 'The connection was lost.',
    no_media: 'No video arrived. A firewall may block it; try another network.',
    unsupported_media: 'Your browser’s video could not be read. Try another browser.',
    server_shutdown: 'The service is restarting. Try again in a minute.',
    internal_error: 'Something went wrong on our side.',
    connection_unstable: 'The connection is weak. Stay on this page.',
    page_hidden: 'Keep this page in view.',
  },
  errors: {
    insecure_context: { title: 'This page is not secure', text: 'Cameras work on secure pages only. Open this page with https://.' },
    unsupported_browser: { title: 'This browser can’t do it', text: 'Use a current version of Chrome, Edge, Firefox or Safari.' },
    permission_denied: { title: 'The camera is blocked', text: 'Click the camera icon in the address bar, allow the camera for this page, then try again.' },
    no_camera: { title: 'No camera found', text: 'Connect a camera, or open this page on your phone.' },
    camera_in_use: { title: 'The camera is busy', text: 'Another app is using it. Close video calls and other tabs, then try again.' },
    camera_lost: { title: 'The camera went away', text: 'Reconnect the camera, then try again.' },
    session_refused: { title: 'The check can’t start', text: 'Your session may have run out. Reload the page and try again.' },
    service_busy: { title: 'We’re busy right now', text: 'Wait a minute, then try again.' },
    network: { title: 'No connection', text: 'Check your internet connection, then try again.' },
    connection_refused: { title: 'The connection was refused', text: 'The service may be busy, or a firewall blocks it. Try again in a moment.' },
    connect_timeout: { title: 'The video doesn’t get through', text: 'A firewall may block it. Try another network, such as your phone’s.' },
    connection_lost: { title: 'The connection was lost', text: 'Check your internet connection, then try again.' },
    interrupted: { title: 'The check was interrupted', text: 'Keep this page in view until the check is done.' },
    protocol_error: { title: 'Something didn’t match', text: 'Reload the page and try again.' },
    server_error: { title: 'Something went wrong', text: 'It was on our side. Try again in a moment.' },
  },
};

const de: Catalogue = {
  label: 'Lebendprüfung',
  cameraOff: 'Ihre Kamera ist aus.',
  progress: 'Fortschritt der Prüfung',
  start: 'Kameraprüfung starten',
  cancel: 'Abbrechen',
  retry: 'Noch einmal versuchen',
  again: 'Noch einmal prüfen',
  unknownReason: 'Blicken Sie gerade in die Kamera und halten Sie still.',
  states: {
    idle: { title: 'Bereit, wenn Sie es sind', text: 'Dauert etwa fünf Sekunden. Suchen Sie gleichmäßiges Licht und halten Sie die Kamera auf Augenhöhe.' },
    permission: { title: 'Kamera erlauben', text: 'Ihr Browser fragt nach. Wählen Sie „Zulassen“.' },
    connecting: { title: 'Verbindung wird aufgebaut', text: 'Die Verbindung ist verschlüsselt.' },
    positioning: { title: 'Gesicht in das Oval', text: 'Blicken Sie gerade in die Kamera.' },
    checking: { title: 'Stillhalten', text: 'Blicken Sie weiter in die Kamera.' },
    passed: { title: 'Prüfung bestanden', text: 'Vor der Kamera ist eine Person.' },
    retry: { title: 'Das hat noch nicht geklappt', text: 'Wir konnten nicht genug sehen.' },
    failed: { title: 'Keine lebende Person bestätigt', text: 'Vor der Kamera muss eine Person sein, kein Bild und kein Bildschirm.' },
  },
  reasons: {
    no_face: 'Bringen Sie Ihr Gesicht in das Oval.',
    multiple_faces: 'Bitte allein vor die Kamera.',
    face_too_small: 'Kommen Sie etwas näher.',
    face_cut_off: 'Das ganze Gesicht muss im Bild sein.',
    face_turned: 'Blicken Sie gerade in die Kamera.',
    too_dark: 'Zu dunkel. Wenden Sie sich dem Licht zu.',
    overexposed: 'Zu hell. Wenden Sie sich von Lampe oder Fenster ab.',
    blurred: 'Halten Sie still oder wischen Sie die Linse ab.',
    face_changed: 'Bleiben Sie bis zum Ende im Bild.',
    frozen_picture: 'Das Bild steht still. Bewegen Sie sich ein wenig.',
    timestamps_backward: 'Das Video stockt. Schließen Sie andere Kamera-Apps.',
    packet_loss: 'Die Verbindung ist schwach. Gehen Sie näher zum Router.',
    injection_timing: 'Nutzen Sie die Kamera dieses Geräts, ohne Kamera-Software.',
    settings_mismatch: 'Nutzen Sie die Kamera dieses Geräts, ohne Kamera-Software.',
    scorer_failed: 'Einen Moment, wir sehen noch einmal hin.',
    overload: 'Einen Moment, der Dienst ist ausgelastet.',
    score_above_threshold: 'Vor der Kamera war eine Person.',
    score_below_threshold: 'Das Bild sah nicht nach einer Person vor der Kamera aus.',
    score_near_threshold: 'Wir waren nicht sicher. Gleichmäßiges Licht hilft.',
    insufficient_evidence: 'Wir haben zu wenig von Ihrem Gesicht gesehen.',
    deadline: 'Die Zeit reichte nicht für eine Entscheidung.',
    disconnected: 'Die Verbindung ist abgebrochen.',
    no_media: 'Es kam kein Video an. Vielleicht sperrt eine Firewall; versuchen Sie ein anderes Netz.',
    unsupported_media: 'Das Video Ihres Browsers war nicht lesbar. Versuchen Sie einen anderen Browser.',
    server_shutdown: 'Der Dienst startet neu. Versuchen Sie es in einer Minute wieder.',
    internal_error: 'Bei uns ist etwas schiefgegangen.',
    connection_unstable: 'Die Verbindung ist schwach. Bleiben Sie auf dieser Seite.',
    page_hidden: 'Lassen Sie diese Seite im Blick.',
  },
  errors: {
    insecure_context: { title: 'Diese Seite ist nicht sicher', text: 'Kameras gehen nur auf sicheren Seiten. Öffnen Sie die Seite mit https://.' },
    unsupported_browser: { title: 'Dieser Browser kann das nicht', text: 'Nutzen Sie einen aktuellen Chrome, Edge, Firefox oder Safari.' },
    permission_denied: { title: 'Die Kamera ist gesperrt', text: 'Klicken Sie auf das Kamerasymbol in der Adresszeile, erlauben Sie die Kamera und versuchen Sie es noch einmal.' },
    no_camera: { title: 'Keine Kamera gefunden', text: 'Schließen Sie eine Kamera an oder öffnen Sie die Seite auf dem Handy.' },
    camera_in_use: { title: 'Die Kamera ist belegt', text: 'Eine andere App nutzt sie. Schließen Sie Videoanrufe und andere Tabs.' },
    camera_lost: { title: 'Die Kamera ist weg', text: 'Schließen Sie die Kamera wieder an und versuchen Sie es noch einmal.' },
    session_refused: { title: 'Die Prüfung kann nicht beginnen', text: 'Vielleicht ist Ihre Sitzung abgelaufen. Laden Sie die Seite neu.' },
    service_busy: { title: 'Gerade ist viel los', text: 'Warten Sie eine Minute und versuchen Sie es noch einmal.' },
    network: { title: 'Keine Verbindung', text: 'Prüfen Sie Ihre Internetverbindung und versuchen Sie es noch einmal.' },
    connection_refused: { title: 'Die Verbindung wurde abgelehnt', text: 'Vielleicht ist viel los, oder eine Firewall sperrt. Versuchen Sie es gleich noch einmal.' },
    connect_timeout: { title: 'Das Video kommt nicht durch', text: 'Vielleicht sperrt eine Firewall. Versuchen Sie ein anderes Netz, etwa das des Handys.' },
    connection_lost: { title: 'Die Verbindung ist abgebrochen', text: 'Prüfen Sie Ihre Internetverbindung und versuchen Sie es noch einmal.' },
    interrupted: { title: 'Die Prüfung wurde unterbrochen', text: 'Lassen Sie diese Seite bis zum Ende im Blick.' },
    protocol_error: { title: 'Etwas passte nicht zusammen', text: 'Laden Sie die Seite neu und versuchen Sie es noch einmal.' },
    server_error: { title: 'Etwas ist schiefgegangen', text: 'Es lag an uns. Versuchen Sie es gleich noch einmal.' },
  },
};

const catalogues: Readonly<Record<string, Catalogue>> = { en, de };

export const languages: readonly string[] = Object.keys(catalogues);

/** The catalogue for a BCP 47 tag ("de-AT" → de); English when there is none. */
export function catalogue(lang: string): Catalogue {
  return catalogues[lang.toLowerCase().split('-')[0] ?? ''] ?? en;
}

/** Plain words for a reason code, also for one from a newer server. */
export function reasonText(words: Catalogue, code: string): string {
  return Object.hasOwn(words.reasons, code) ? words.reasons[code as ReasonCode] : words.unknownReason;
}

// What the person can act on comes before what they cannot.
const unhelpful = new Set(['deadline', 'insufficient_evidence', 'score_above_threshold', 'score_below_threshold']);

/** The one reason worth telling at a retry: the first that says what to change. */
export function advice(reasons: readonly string[]): string {
  return reasons.find((r) => !unhelpful.has(r)) ?? reasons[0] ?? '';
}

/**
 * Paces hints so that each can be read: one stays at least minMs, in between
 * the newest wins. show is called with '' when there is nothing to change.
 */
export class HintPacer {
  #shown = '';
  #wanted = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly show: (reason: string) => void,
    private readonly minMs = 900,
  ) {}

  set(reason: string): void {
    this.#wanted = reason;
    if (this.#timer === undefined) this.#flush();
  }

  /** Forgets everything at once, without showing. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shown = this.#wanted = '';
  }

  #flush(): void {
    this.#timer = undefined;
    if (this.#wanted === this.#shown) return;
    this.#shown = this.#wanted;
    this.show(this.#shown);
    if (this.#shown !== '') this.#timer = setTimeout(() => this.#flush(), this.minMs);
  }
}
