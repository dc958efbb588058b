//! How things look in the results of searches.

use serde_json::{Map, Value};

use super::shown;

fn wrapped(member: &str, item: Map<String, Value>) -> Value {
    Value::from_iter([(member.to_owned(), Value::Object(item))])
}

/// A thing as it is, under the name of its kind.
pub(crate) fn plain_item(member: &str, document: &Value) -> Value {
    wrapped(member, shown(document))
}

/// An asset in the inventory: its revision and listing are not told, its time series are told unasked.
pub(crate) fn asset_item(document: &Value, with_forms: bool) -> Value {
    let mut item = shown(document);
    let mut additional = Map::new();
    for member in ["formsOutput", "readOnlyFormsOutput", "latestTimeSeriesDataPointFormsOutput"] {
        let value = item.remove(member);
        let is_asked = with_forms || member == "latestTimeSeriesDataPointFormsOutput";
        additional.extend(value.filter(|_| is_asked).map(|value| (member.to_owned(), value)));
    }
    item.remove("revision");
    if let Some(id) = item.remove("id") {
        item.insert("identifier".to_owned(), id);
    }
    if !additional.is_empty() {
        item.insert("additionalAttributes".to_owned(), Value::Object(additional));
    }
    wrapped("assetItem", item)
}

pub(crate) fn product_item(document: &Value) -> Value {
    let mut item = shown(document);
    for member in ["items", "revision", "status", "formsOutput"] {
        item.remove(member);
    }
    wrapped("dataProductItem", item)
}

/// A listing of an asset or of a data product.
pub(crate) fn listing_item(document: &Value, with_forms: bool) -> Value {
    let mut item = shown(document);
    let mut additional = Map::new();
    additional.extend(item.remove("forms").filter(|_| with_forms).map(|forms| ("forms".to_owned(), forms)));
    let series = "latestTimeSeriesDataPointForms";
    additional.extend(item.remove(series).map(|value| (series.to_owned(), value)));
    if !additional.is_empty() {
        item.insert("additionalAttributes".to_owned(), Value::Object(additional));
    }
    let is_product = document.get("$product").is_some();
    wrapped(if is_product { "dataProductListing" } else { "assetListing" }, item)
}
