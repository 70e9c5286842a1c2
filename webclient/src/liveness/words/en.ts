import reasons from '../reasons.json';
import type { Catalogue } from './catalogue';

export const en: Catalogue = {
  label: 'Liveness check',
  cameraOff: 'Your camera is off.',
  progress: 'Progress of the check',
  camera: 'Camera',
  switchCamera: 'Switch camera',
  start: 'Start camera check',
  cancel: 'Cancel',
  noLight: 'Without light',
  retry: 'Try again',
  again: 'Check again',
  unknownReason: 'Look straight into the camera and hold still.',
  states: {
    idle: { title: 'Ready when you are', text: 'Takes about five seconds. Find even light and hold the camera at eye level.' },
    permission: { title: 'Allow the camera', text: 'Your browser is asking. Choose “Allow” to go on.' },
    connecting: { title: 'Connecting', text: 'Setting up an encrypted connection.' },
    positioning: { title: 'Place your face in the oval', text: 'Look straight into the camera.' },
    checking: { title: 'Hold still', text: 'Keep looking into the camera.' },
    challenge: { title: 'The screen will change colours', text: 'Keep looking into the camera for three seconds.' },
    passed: { title: 'Check passed', text: 'A person is in front of the camera.' },
    retry: { title: 'That didn’t quite work', text: 'We could not see enough to decide.' },
    failed: {
      title: 'We couldn’t confirm a live person',
      text: 'The check needs a person in front of the camera, not a picture or a screen.',
    },
  },
  reasons: {
    ...reasons,
    camera_paused: 'The camera is paused. End the call or the other app that uses it.',
    connection_unstable: 'The connection is weak. Stay on this page.',
    page_hidden: 'Keep this page in view.',
  },
  errors: {
    insecure_context: { title: 'This page is not secure', text: 'Cameras work on secure pages only. Open this page with https://.' },
    unsupported_browser: { title: 'This browser can’t do it', text: 'Use a current version of Chrome, Edge, Firefox or Safari.' },
    permission_denied: {
      title: 'The camera is blocked',
      text: 'Click the camera icon in the address bar, allow the camera for this page, then try again.',
    },
    no_camera: { title: 'No camera found', text: 'Connect a camera, or open this page on your phone.' },
    camera_in_use: { title: 'The camera is busy', text: 'Another app is using it. Close video calls and other tabs, then try again.' },
    camera_lost: { title: 'The camera went away', text: 'Reconnect the camera, then try again.' },
    not_configured: { title: 'The check is not set up', text: 'This page lacks its address for the check. Please tell those who run it.' },
    backend_unauthorized: { title: 'You are not signed in', text: 'Your sign-in may have run out. Sign in again, then start the check.' },
    backend_forbidden: {
      title: 'This check is not open to you',
      text: 'Your account may not do this check. Sign in with another account, or ask for help.',
    },
    backend_error: { title: 'This site can’t start the check', text: 'This site had a problem. Try again in a moment.' },
    session_refused: { title: 'The check can’t start', text: 'Your session may have run out. Reload the page and try again.' },
    service_busy: { title: 'We’re busy right now', text: 'Wait a minute, then try again.' },
    network: { title: 'No connection', text: 'Check your internet connection, then try again.' },
    connection_refused: {
      title: 'The connection was refused',
      text: 'The service may be busy, or a firewall blocks it. Try again in a moment.',
    },
    connect_timeout: {
      title: 'The video doesn’t get through',
      text: 'A firewall may block it. Try another network, such as your phone’s.',
    },
    connection_lost: { title: 'The connection was lost', text: 'Check your internet connection, then try again.' },
    interrupted: { title: 'The check was interrupted', text: 'Keep this page in view until the check is done.' },
    protocol_error: { title: 'Something didn’t match', text: 'Reload the page and try again.' },
    server_error: { title: 'Something went wrong', text: 'It was on our side. Try again in a moment.' },
  },
};
