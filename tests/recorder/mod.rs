//! A recorder that adds up what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

type Totals = BTreeMap<String, f64>;

/// What each metric comes to, as `name{cache}`; of a histogram the sum, and under `name{cache} count` how many.
#[derive(Clone, Default)]
pub(crate) struct Sums(Arc<Mutex<Totals>>);

impl Sums {
    pub(crate) fn of(&self, metric: &str) -> Option<f64> {
        self.0.lock().expect("nobody panicked over it").get(metric).copied()
    }

    fn meter(&self, key: &Key) -> Arc<Meter> {
        let labels: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
        let [("cache", cache)] = labels[..] else { panic!("{key} has other labels than `cache`") };
        let name = format!("{}{{{cache}}}", key.name());
        self.0.lock().expect("nobody panicked over it").entry(name.clone()).or_default();
        Arc::new(Meter { name, sums: self.clone() })
    }
}

struct Meter {
    name: String,
    sums: Sums,
}

impl Meter {
    fn change(&self, name: &str, change: impl FnOnce(&mut f64)) {
        change(self.sums.0.lock().expect("nobody panicked over it").entry(name.to_owned()).or_default());
    }
}

impl CounterFn for Meter {
    fn increment(&self, value: u64) {
        self.change(&self.name, |sum| *sum += value as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(&self.name, |sum| *sum = sum.max(value as f64));
    }
}

impl GaugeFn for Meter {
    fn increment(&self, value: f64) {
        self.change(&self.name, |sum| *sum += value);
    }

    fn decrement(&self, value: f64) {
        self.change(&self.name, |sum| *sum -= value);
    }

    fn set(&self, value: f64) {
        self.change(&self.name, |sum| *sum = value);
    }
}

impl HistogramFn for Meter {
    fn record(&self, value: f64) {
        self.change(&self.name, |sum| *sum += value);
        self.change(&format!("{} count", self.name), |count| *count += 1.0);
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.meter(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.meter(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.meter(key))
    }
}
