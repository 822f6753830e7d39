/** Why a case passed by the type and the sizes of its outputs alone. */
export const byLotReason = 'It draws lots.';
