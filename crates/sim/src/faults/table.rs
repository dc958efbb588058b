//! All rules with their counters, and the token buckets behind rates.

use std::collections::HashMap;

use serde_json::Value;

use super::{Fault, FaultKind, FaultedCall, Trigger};

const RULES_MAX: usize = 1_000;

/// The faults that fire at one call.
pub(crate) type Fired = Vec<FaultKind>;

/// All rules with their counters.
#[derive(Debug, Default)]
pub(crate) struct FaultTable {
    rules: Vec<Counted>,
}

#[derive(Debug)]
struct Counted {
    fault: Fault,
    matched: u64,
    buckets: HashMap<String, Bucket>,
}

/// Lets `per_second` calls a second through, and that many at once; it starts full.
#[derive(Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    filled_ms: i64,
}

impl Bucket {
    pub(crate) fn full(per_second: f64, now_ms: i64) -> Self {
        Self { tokens: per_second, filled_ms: now_ms }
    }

    /// Whether one more call is within the rate.
    pub(crate) fn take(&mut self, per_second: f64, now_ms: i64) -> bool {
        let elapsed_ms = u32::try_from(now_ms.saturating_sub(self.filled_ms)).unwrap_or(0);
        self.tokens = (self.tokens + per_second * f64::from(elapsed_ms) / 1_000.0).min(per_second);
        self.filled_ms = now_ms;
        let within = self.tokens >= 1.0;
        if within {
            self.tokens -= 1.0;
        }
        within
    }
}

impl FaultTable {
    /// Replaces all rules; counters start at zero. What exceeds the bound is left out.
    pub(crate) fn set(&mut self, faults: Vec<Fault>) {
        self.rules = faults.into_iter().take(RULES_MAX).map(Counted::new).collect();
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        if self.rules.len() < RULES_MAX {
            self.rules.push(Counted::new(fault));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn to_value(&self) -> Value {
        let shown = |rule: &Counted| {
            let mut value = rule.fault.to_value();
            value["matched"] = Value::from(rule.matched);
            value
        };
        self.rules.iter().map(shown).collect()
    }

    pub(crate) fn fire(&mut self, call: &FaultedCall<'_>, now_ms: i64) -> Fired {
        let matching = self.rules.iter_mut().filter(|rule| rule.fault.matches(call));
        matching.filter_map(|rule| rule.fire(call, now_ms)).collect()
    }
}

impl Counted {
    fn new(fault: Fault) -> Self {
        Self { fault, matched: 0, buckets: HashMap::new() }
    }

    fn fire(&mut self, call: &FaultedCall<'_>, now_ms: i64) -> Option<FaultKind> {
        self.matched += 1;
        let due = match self.fault.trigger {
            Trigger::Always => true,
            Trigger::First(count) => self.matched <= count,
            Trigger::Every(count) => count > 0 && self.matched.is_multiple_of(count),
        };
        if let FaultKind::RateLimit { per_second } = self.fault.kind {
            let within = self.take_token(call.operation, f64::from(per_second), now_ms);
            return (due && !within).then_some(FaultKind::Throttle);
        }
        due.then(|| self.fault.kind.clone())
    }

    fn take_token(&mut self, operation: &str, per_second: f64, now_ms: i64) -> bool {
        let bucket = self.buckets.entry(operation.to_owned()).or_insert_with(|| Bucket::full(per_second, now_ms));
        bucket.take(per_second, now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::super::PageKind;
    use super::*;

    const CALL: FaultedCall<'_> = FaultedCall {
        operation: "GetTables",
        catalog: None,
        database: Some("sales"),
        domain: None,
        project: None,
        scope: None,
        page: PageKind::First,
    };

    fn fired(table: &mut FaultTable, times: usize) -> Vec<bool> {
        (0..times).map(|_| !table.fire(&CALL, 0).is_empty()).collect()
    }

    #[test]
    fn text_and_json_forms_read_the_same_rule() {
        let expected = Fault::new(FaultKind::Slow { delay_ms: 20 }).on("GetTables").in_database("sales").every(5);
        let text: Fault = "slow:operation=GetTables,database=sales,every=5,delay_ms=20".parse().expect("text form");
        assert_eq!(text, expected);
        assert_eq!(Fault::from_value(&expected.to_value()).expect("JSON form"), expected);
    }

    #[test]
    fn misspelt_members_and_kinds_are_refused() {
        for text in ["throttle:operations=GetTables", "trottle", "throttle:first", "slow"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }

    #[test]
    fn triggers_count_matching_calls_only() {
        let mut table = FaultTable::default();
        table.set(vec![Fault::new(FaultKind::Internal).on("GetTables").first(2)]);
        table.fire(&FaultedCall { operation: "GetDatabases", ..CALL }, 0);
        assert_eq!(fired(&mut table, 3), [true, true, false]);
        table.set(vec![Fault::new(FaultKind::Internal).in_database("sales").every(2)]);
        table.fire(&FaultedCall { database: None, ..CALL }, 0);
        assert_eq!(fired(&mut table, 4), [false, true, false, true]);
    }

    #[test]
    fn rate_limit_refills_with_time_and_counts_each_operation_apart() {
        let mut table = FaultTable::default();
        table.set(vec![Fault::new(FaultKind::RateLimit { per_second: 2 })]);
        assert_eq!(fired(&mut table, 3), [false, false, true]);
        assert!(table.fire(&FaultedCall { operation: "GetJobs", ..CALL }, 0).is_empty());
        assert!(table.fire(&CALL, 500).is_empty());
        assert_eq!(table.fire(&CALL, 500), [FaultKind::Throttle]);
    }

    #[test]
    fn vanishing_database_waits_for_a_later_page() {
        let mut table = FaultTable::default();
        table.set(vec![Fault::new(FaultKind::DatabaseVanishes).first(1)]);
        assert!(table.fire(&CALL, 0).is_empty());
        assert_eq!(table.fire(&FaultedCall { page: PageKind::Later, ..CALL }, 0), [FaultKind::DatabaseVanishes]);
    }
}
