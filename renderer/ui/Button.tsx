import type { ButtonHTMLAttributes, ReactNode } from 'react';

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'type'> {
  readonly kind?: 'primary' | 'danger' | 'quiet' | 'plain' | 'link';
  readonly size?: 'normal' | 'small';
  readonly submit?: true;
  readonly icon?: ReactNode;
}

export function Button({
  kind = 'plain',
  size = 'normal',
  submit,
  icon,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      className="button"
      data-kind={kind}
      data-size={size}
      type={submit === true ? 'submit' : 'button'}
      {...rest}
    >
      {icon}
      {children}
    </button>
  );
}
