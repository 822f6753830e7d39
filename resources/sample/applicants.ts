/** Applicants for a loan who never existed: 24 columns of mixed type, with plausible relations and a risk that depends on them. */
import type { Random } from './random.ts';

export type Applicant = Readonly<Record<string, number | string | boolean | null>>;

export interface Column {
  readonly name: string;
  readonly type: 'float' | 'int64' | 'bool' | 'string';
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  readonly categories?: readonly string[];
  readonly description: string;
}

export const columns: readonly Column[] = [
  {
    name: 'age',
    type: 'int64',
    unit: 'years',
    min: 18,
    max: 90,
    description: 'Age at application',
  },
  {
    name: 'employment_years',
    type: 'float',
    unit: 'years',
    min: 0,
    max: 50,
    description: 'Time with the present employer',
  },
  {
    name: 'monthly_income',
    type: 'float',
    unit: 'EUR',
    min: 0,
    max: 25_000,
    description: 'Net income; empty when it was not proven',
  },
  {
    name: 'other_income',
    type: 'float',
    unit: 'EUR',
    min: 0,
    max: 10_000,
    description: 'Rent, benefits and other regular income',
  },
  {
    name: 'savings',
    type: 'float',
    unit: 'EUR',
    min: 0,
    max: 500_000,
    description: 'Balance of savings; empty when unknown',
  },
  {
    name: 'loan_amount',
    type: 'float',
    unit: 'EUR',
    min: 500,
    max: 75_000,
    description: 'Amount asked for',
  },
  {
    name: 'term_months',
    type: 'int64',
    unit: 'months',
    min: 6,
    max: 120,
    description: 'Time to pay back',
  },
  { name: 'interest_rate', type: 'float', unit: '%', min: 0, max: 20, description: 'Rate offered' },
  {
    name: 'purpose',
    type: 'string',
    categories: ['car', 'home', 'education', 'business', 'debt', 'other'],
    description: 'What the loan is for',
  },
  {
    name: 'housing',
    type: 'string',
    categories: ['own', 'rent', 'family'],
    description: 'How the applicant lives',
  },
  {
    name: 'employment',
    type: 'string',
    categories: ['employed', 'public', 'self-employed', 'retired', 'unemployed'],
    description: 'Kind of employment',
  },
  {
    name: 'education',
    type: 'string',
    categories: ['basic', 'secondary', 'degree'],
    description: 'Highest level reached',
  },
  {
    name: 'region',
    type: 'string',
    categories: ['north', 'south', 'east', 'west', 'capital'],
    description: 'Region of residence',
  },
  {
    name: 'dependants',
    type: 'int64',
    min: 0,
    max: 12,
    description: 'People who depend on the income',
  },
  {
    name: 'open_credits',
    type: 'int64',
    min: 0,
    max: 30,
    description: 'Credits that are being paid back',
  },
  {
    name: 'credit_utilisation',
    type: 'float',
    min: 0,
    max: 1.5,
    description: 'Used part of the credit lines',
  },
  {
    name: 'late_payments_12m',
    type: 'int64',
    min: 0,
    max: 24,
    description: 'Payments more than 30 days late in a year',
  },
  {
    name: 'months_since_late',
    type: 'float',
    unit: 'months',
    min: 0,
    max: 240,
    description: 'Since the last late payment; empty when there was none',
  },
  {
    name: 'account_age_months',
    type: 'int64',
    unit: 'months',
    min: 0,
    max: 600,
    description: 'Age of the oldest account',
  },
  {
    name: 'enquiries_6m',
    type: 'int64',
    min: 0,
    max: 20,
    description: 'Credit enquiries in half a year',
  },
  { name: 'prior_default', type: 'bool', description: 'A default on record' },
  { name: 'co_applicant', type: 'bool', description: 'Somebody signs as well' },
  { name: 'phone_verified', type: 'bool', description: 'The telephone number was checked' },
  { name: 'existing_customer', type: 'bool', description: 'Has had an account before' },
];

/** What a month is like; the drifted one differs in five of these. */
export interface Season {
  readonly incomeFactor: number;
  readonly incomeMissing: number;
  readonly utilisationShift: number;
  readonly enquiryRate: number;
  readonly purposes: readonly (readonly [string, number])[];
}

export const usualSeason: Season = {
  incomeFactor: 1,
  incomeMissing: 0.04,
  utilisationShift: 0,
  enquiryRate: 1.1,
  purposes: [
    ['car', 30],
    ['home', 22],
    ['education', 10],
    ['business', 8],
    ['debt', 18],
    ['other', 12],
  ],
};

export const crisisSeason: Season = {
  incomeFactor: 0.8,
  incomeMissing: 0.16,
  utilisationShift: 0.22,
  enquiryRate: 2.3,
  purposes: [
    ['car', 14],
    ['home', 9],
    ['education', 6],
    ['business', 12],
    ['debt', 46],
    ['other', 13],
  ],
};

/** One applicant, and whether the loan would default. */
export function makeApplicant(
  random: Random,
  season: Season,
): { readonly applicant: Applicant; readonly defaulted: boolean } {
  const age = clamp(Math.round(random.normal(43, 13)), 18, 90);
  const employment =
    age > 64
      ? 'retired'
      : random.pick([
          ['employed', 62],
          ['public', 15],
          ['self-employed', 15],
          ['unemployed', 8],
        ] as const);
  const education = random.pick([
    ['basic', 22],
    ['secondary', 50],
    ['degree', 28],
  ] as const);
  const schooling = { basic: 0.82, secondary: 1, degree: 1.35 }[education];
  const standing = {
    employed: 1,
    public: 1.05,
    'self-employed': 1.15,
    retired: 0.75,
    unemployed: 0.45,
  }[employment];
  const income = round(
    Math.max(
      350,
      2600 * season.incomeFactor * schooling * standing * Math.exp(random.normal(0, 0.35)),
    ),
    10,
  );
  const housing = random.pick([
    ['own', age > 40 ? 55 : 25],
    ['rent', 45],
    ['family', age < 30 ? 35 : 6],
  ] as const);
  const priorDefault = random.uniform() < 0.06;
  const late = Math.min(
    24,
    Math.floor(-Math.log(1 - random.uniform()) * (priorDefault ? 2.6 : 0.55)),
  );
  const utilisation = clamp(
    round(random.normal(0.42 + season.utilisationShift + (priorDefault ? 0.2 : 0), 0.24), 0.01),
    0,
    1.5,
  );
  const purpose = random.pick(season.purposes);
  const loan = round(
    clamp(Math.exp(random.normal(purpose === 'home' ? 9.6 : 9.1, 0.6)), 500, 75_000),
    100,
  );
  const term = random.pick([
    [12, 8],
    [24, 18],
    [36, 26],
    [48, 20],
    [60, 16],
    [84, 12],
  ] as const);
  const enquiries = Math.min(20, Math.floor(-Math.log(1 - random.uniform()) * season.enquiryRate));
  const rate = round(
    clamp(random.normal(5.5 + 4 * utilisation + (priorDefault ? 2 : 0), 1.1), 1, 20),
    0.05,
  );
  const savings = round(Math.max(0, random.normal(0.5, 1.2)) * income * 3, 50);
  const coApplicant = random.uniform() < 0.3;
  const employmentYears =
    employment === 'unemployed'
      ? 0
      : round(Math.min(age - 17, Math.max(0, -Math.log(1 - random.uniform()) * 7)), 0.5);
  const dependants = Math.min(8, Math.floor(-Math.log(1 - random.uniform()) * 0.9));
  const openCredits = Math.min(30, Math.floor(-Math.log(1 - random.uniform()) * 2.4));
  const burden = loan / term / income;
  const logit =
    -4.15 +
    6.2 * Math.min(0.7, burden) +
    2.1 * utilisation +
    0.42 * late +
    (priorDefault ? 1.1 : 0) +
    { employed: 0, public: -0.4, 'self-employed': 0.35, retired: -0.1, unemployed: 0.95 }[
      employment
    ] +
    (purpose === 'business' ? 0.45 : purpose === 'debt' ? 0.3 : purpose === 'home' ? -0.3 : 0) +
    (housing === 'own' ? -0.35 : 0) +
    0.11 * enquiries -
    0.045 * Math.min(20, employmentYears) -
    (savings > 2 * income ? 0.55 : 0) -
    (coApplicant ? 0.35 : 0) +
    0.08 * dependants +
    (age < 25 ? 0.35 : 0) +
    random.normal(0, 0.55);
  const applicant: Applicant = {
    age,
    employment_years: employmentYears,
    monthly_income: random.uniform() < season.incomeMissing ? null : income,
    other_income: random.uniform() < 0.7 ? 0 : round(Math.abs(random.normal(0, 320)), 10),
    savings: random.uniform() < 0.09 ? null : savings,
    loan_amount: loan,
    term_months: term,
    interest_rate: rate,
    purpose,
    housing,
    employment,
    education,
    region: random.pick([
      ['north', 18],
      ['south', 24],
      ['east', 16],
      ['west', 22],
      ['capital', 20],
    ] as const),
    dependants,
    open_credits: openCredits,
    credit_utilisation: utilisation,
    late_payments_12m: late,
    months_since_late:
      late === 0 && random.uniform() < 0.7
        ? null
        : random.integer(late > 0 ? 0 : 13, late > 0 ? 11 : 60),
    account_age_months: clamp(Math.round(random.normal((age - 18) * 8, 40)), 0, 600),
    enquiries_6m: enquiries,
    prior_default: priorDefault,
    co_applicant: coApplicant,
    phone_verified: random.uniform() < 0.93,
    existing_customer: random.uniform() < 0.58,
  };
  return { applicant, defaulted: random.uniform() < 1 / (1 + Math.exp(-logit)) };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** To a multiple of `step`, without the digits that binary fractions leave behind. */
function round(value: number, step: number): number {
  return Number((Math.round(value / step) * step).toFixed(2));
}
