import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './ui/tokens.css';
import './ui/base.css';
import './ui/layout.css';
import './ui/pages.css';
import { createRoot } from 'react-dom/client';
import { App } from './app/App.tsx';
import { ErrorBoundary } from './app/ErrorBoundary.tsx';
import { applyTheme } from './app/theme.ts';

applyTheme();
const container = document.getElementById('root');
if (container === null) throw new Error('The page has no place for the application.');
createRoot(container).render(
  <ErrorBoundary>
    <App />
  </ErrorBoundary>,
);
