/** A rule of the gate that a container breaks; reading ends there, and the gate shows it as a finding. */
import type { RuleId } from '../rules.ts';

export class GateBreach extends Error {
  readonly ruleId: RuleId;
  readonly path: string;
  constructor(ruleId: RuleId, path: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.ruleId = ruleId;
    this.path = path;
  }
}
