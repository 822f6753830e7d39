import { Component, type ReactNode } from 'react';

/** The last resort: says that the window has a fault, and that the vault has not. */
export class ErrorBoundary extends Component<
  { readonly children: ReactNode },
  { readonly failed: boolean }
> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <main className="gate">
        <div className="gate-card" role="alert">
          <h1>The window has a fault</h1>
          <p>
            What you see here is broken; the vault and everything in it is not. Running work goes
            on.
          </p>
          <button
            className="button"
            data-kind="primary"
            type="button"
            onClick={() => window.location.reload()}
          >
            Reload the window
          </button>
        </div>
      </main>
    );
  }
}
