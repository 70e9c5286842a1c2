import '@liveproof/liveness-check/auto';
import { defineStatus } from '@liveproof/liveness-check/status';
import { createApp } from 'vue';
import App from './App.vue';

defineStatus();
createApp(App).mount('#app');
