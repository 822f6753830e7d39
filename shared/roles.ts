import { z } from 'zod';

export const roles = ['administrator', 'analyst', 'approver', 'auditor'] as const;
export const role = z.enum(roles);
export type Role = (typeof roles)[number];

export const everyone: readonly Role[] = [...roles];
/** Roles whose key slot holds the key of the models (an auditor's does not). */
export const operators: readonly Role[] = ['administrator', 'analyst', 'approver'];
export const analysts: readonly Role[] = ['administrator', 'analyst'];
export const approvers: readonly Role[] = ['administrator', 'approver'];
export const administrators: readonly Role[] = ['administrator'];
