//! What stands around a type, and whether one of its serializers decides what is stored.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::codec::builder::Builder;
use crate::codec::nodes::known;
use crate::codec::nodes::model::holder_of_fields;
use crate::codec::schema::{SchemaDict, oxidyn_metadata, serializes_as_any};

/// What stands around a type, from the outermost default, `| None` or function to the type itself.
pub(super) struct Chain<'py> {
    /// The first serializer that counts for stored values.
    pub(super) serializer: Option<Bound<'py, PyDict>>,
    /// `Attribute(serializer=...)`.
    pub(super) says: Option<bool>,
    /// A before, wrap or plain validator of the user's, or a class that is called: it can undo a serializer.
    pub(super) undoes: bool,
    /// An after validator of the user's on a type that is no model.
    pub(super) after: bool,
    /// There is a serializer that is not of Pydantic's own types, for Python or for JSON.
    pub(super) is_serialized: bool,
    pub(super) innermost: Bound<'py, PyDict>,
}

impl<'py> Chain<'py> {
    pub(super) fn read(whole: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<Self> {
        let mut chain = Self {
            serializer: None,
            says: None,
            undoes: false,
            after: false,
            is_serialized: false,
            innermost: whole.clone(),
        };
        let mut afters = false;
        loop {
            let layer = builder.resolve(&chain.innermost)?;
            if chain.says.is_none()
                && let Some(marks) = oxidyn_metadata(&layer)?
            {
                chain.says = marks.flag("serializer")?;
            }
            if let Some(serializer) = layer.member("serialization")? {
                chain.is_serialized |= match serializer.cast::<PyDict>()?.member("function")? {
                    Some(function) => !is_pydantics(&function)?,
                    None => true,
                };
            }
            if chain.serializer.is_none() && counting_serializer(&layer)?.is_some() {
                chain.serializer = Some(layer.clone());
            }
            let kind = layer.text("type")?.unwrap_or_default();
            if kind.starts_with("function-") {
                let (function, _) = function_of(&layer)?;
                // What calls a class makes an instance of what is stored.
                let checks = kind == "function-after" && !is_class(&function);
                let is_users = !is_pydantics(&function)?;
                afters |= is_users && checks;
                chain.undoes |= is_users && !checks;
            }
            let Some(inner) = layer.member("schema")?.filter(|_| is_transparent(&kind)) else {
                let is_model = matches!(kind.as_str(), "model" | "dataclass");
                chain.undoes |= is_model && holder_of_fields(&layer)?.1;
                // An after validator of a model gets the finished instance: it is a check.
                chain.after = afters && !is_model;
                chain.innermost = layer;
                return Ok(chain);
            };
            chain.innermost = inner.cast_into()?;
        }
    }

    /// Whether this serializer's result is what is stored.
    pub(super) fn decides(&self, layer: &Bound<'py, PyDict>, builder: &Builder<'_, 'py>) -> PyResult<bool> {
        if let Some(says) = self.says {
            return Ok(says);
        }
        let serializer = layer.schema("serialization")?;
        if let Some(function) = serializer.member("function")?
            && (is_pydantics(&function)? || known::makes_type(layer)?)
        {
            return Ok(false);
        }
        if !self.undoes && self.after {
            return Err(builder.schema_error(
                "has a serializer and an after validator, and nothing tells whether the validator undoes the serializer: \
                 say Attribute(serializer=True) to store what the serializer gives and have the validators read it, or \
                 Attribute(serializer=False) to store the value itself",
            ));
        }
        Ok(self.undoes)
    }
}

/// Whether a schema stands around another of the same value.
pub fn is_transparent(kind: &str) -> bool {
    matches!(kind, "default" | "nullable") || kind.starts_with("function-") && kind != "function-plain"
}

/// The serializer of a schema, where it counts for python values: what is for JSON only is for an API.
pub(super) fn counting_serializer<'py>(schema: &Bound<'py, PyDict>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let Some(serializer) = schema.member("serialization")? else {
        return Ok(None);
    };
    let serializer = serializer.cast_into::<PyDict>()?;
    let kind = serializer.text("type")?.unwrap_or_default();
    let json_only = serializer
        .text("when_used")?
        .is_some_and(|used| used.starts_with("json"));
    let counts = kind.starts_with("function-") && !json_only && !serializes_as_any(schema)?;
    Ok(counts.then_some(serializer))
}

/// Whether a type has a serializer of the user's for python values.
pub fn has_serializer(schema: &Bound<'_, PyDict>) -> PyResult<bool> {
    Ok(counting_serializer(schema)?.is_some())
}

/// A function schema's function, and whether it takes the validation's info.
pub(super) fn function_of<'py>(schema: &Bound<'py, PyDict>) -> PyResult<(Bound<'py, PyAny>, bool)> {
    let function = schema.schema("function")?;
    let with_info = function.text("type")?.is_some_and(|kind| kind == "with-info");
    Ok((function.required("function")?, with_info))
}

fn is_class(function: &Bound<'_, PyAny>) -> bool {
    function.is_instance_of::<PyType>()
}

/// Pydantic's own functions belong to its types; what they do is known.
pub(super) fn is_pydantics(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    let module = function.getattr_opt(pyo3::intern!(function.py(), "__module__"))?;
    let module = module.and_then(|module| module.extract::<String>().ok());
    // Of the standard library Pydantic calls getters and, for addresses, their classes.
    Ok(module.is_some_and(|module| {
        matches!(&*module, "operator" | "ipaddress" | "pydantic") || module.starts_with("pydantic.")
    }))
}
