// Catches what a component throws, so that a person sees words and not an empty page.
import { Component, type ReactNode } from "react";

interface Props {
  title: string;
  children: ReactNode;
}

export class Boundary extends Component<Props, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="note note-error" role="alert">
        <strong>{this.props.title}</strong>
        <span>{error.message}</span>
      </div>
    );
  }
}
