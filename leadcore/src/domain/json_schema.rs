//! A JSON Schema of what people fill in: for generated forms and for programs that send leads.

use serde_json::{Map, Value, json};

use super::catalogue::{Catalogue, FieldSpec};
use super::custom_field::CustomField;
use super::field::{Field, FieldType};

impl Catalogue {
    /// A JSON Schema (draft 2020-12) of an object with a lead's writable fields by key, custom ones included: types, labels,
    /// required fields, choices that are offered, limits and defaults. Values are those that a
    /// [`LeadPatch`](super::LeadPatch) takes.
    ///
    /// ```
    /// use leadcore::domain::{Catalogue, CustomField, CustomType};
    /// let mut catalogue = Catalogue::standard();
    /// let seats = CustomField::new("x_seats".parse()?, "Seats", CustomType::Integer).required(true);
    /// catalogue.set_custom_field(seats);
    /// let schema = catalogue.json_schema();
    /// assert_eq!(schema["properties"]["x_seats"]["type"], "integer");
    /// assert_eq!(schema["required"], serde_json::json!(["x_seats"]));
    /// # Ok::<(), leadcore::error::ValueError>(())
    /// ```
    #[must_use]
    pub fn json_schema(&self) -> Value {
        let specs = self.form().into_iter().flat_map(|section| section.fields);
        let specs: Vec<FieldSpec> = specs.filter(|spec| spec.field.is_writable()).collect();
        let properties: Map<String, Value> =
            specs.iter().map(|spec| (spec.field.key().to_owned(), self.property(spec))).collect();
        let required: Vec<&str> =
            specs.iter().filter(|spec| spec.required).map(|spec| spec.field.key()).collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    fn property(&self, spec: &FieldSpec) -> Value {
        let custom = match &spec.field {
            Field::Custom(key) => self.custom_field(key),
            _ => None,
        };
        let mut one = match custom {
            Some(custom) => of_type(&custom.kind.field_type()),
            None => of_type(&spec.field.field_type()),
        };
        if let Some(custom) = custom {
            restrict(&mut one, custom);
        }
        let mut schema = if spec.multiple {
            let mut list = Map::new();
            list.insert("type".to_owned(), "array".into());
            list.insert("items".to_owned(), Value::Object(one));
            list.insert("uniqueItems".to_owned(), true.into());
            list
        } else {
            one
        };
        schema.insert("title".to_owned(), spec.label.as_str().into());
        if let Some(help) = &spec.help {
            schema.insert("description".to_owned(), help.as_str().into());
        }
        if spec.read_only {
            schema.insert("readOnly".to_owned(), true.into());
        }
        if let Some(default) = custom.and_then(|custom| custom.default.as_ref()) {
            schema.insert("default".to_owned(), json!(default.read()));
        }
        Value::Object(schema)
    }
}

fn of_type(kind: &FieldType) -> Map<String, Value> {
    let schema = match kind {
        FieldType::Integer => json!({ "type": "integer" }),
        FieldType::Amount | FieldType::Decimal => json!({ "type": ["string", "number"] }),
        FieldType::Bool => json!({ "type": "boolean" }),
        FieldType::Date => json!({ "type": "string", "format": "date" }),
        FieldType::Time => json!({ "type": "string", "format": "date-time" }),
        FieldType::Email => json!({ "type": "string", "format": "email" }),
        FieldType::Reference(_) => json!({ "type": "string", "format": "uuid" }),
        FieldType::Choice(codes) => json!({ "type": "string", "enum": codes }),
        _ => json!({ "type": "string" }),
    };
    match schema {
        Value::Object(schema) => schema,
        _ => Map::new(),
    }
}

/// Choices that are offered, with their labels, and limits.
fn restrict(schema: &mut Map<String, Value>, custom: &CustomField) {
    if let Some(choices) = custom.kind.choices() {
        let mut offered: Vec<_> = choices.iter().filter(|choice| !choice.archived).collect();
        offered.sort_by_key(|choice| choice.order);
        let one_of: Vec<_> =
            offered.iter().map(|choice| json!({ "const": choice.code, "title": choice.label })).collect();
        schema.remove("enum");
        schema.insert("oneOf".to_owned(), one_of.into());
    }
    if let Some(longest) = custom.kind.longest() {
        let most = custom.max_length.map_or(json!(longest), |most| json!(most));
        schema.insert("maxLength".to_owned(), most);
    }
    // Other numbers may be written as text, which has no smallest value.
    if schema.get("type") == Some(&json!("integer")) {
        for (name, limit) in [("minimum", custom.min), ("maximum", custom.max)] {
            let limit = limit.and_then(|limit| i64::try_from(limit.trunc()).ok());
            if let Some(limit) = limit {
                schema.insert(name.to_owned(), limit.into());
            }
        }
    }
}
