//! Every Python object that the codec needs, in one list: nothing else here imports.

use pyo3::exceptions::PyBaseException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

use super::ffi::Slot;

macro_rules! imports {
    ($($(#[$doc:meta])* $name:ident = $module:literal . $attribute:literal;)*) => {$(
        $(#[$doc])*
        pub fn $name(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
            static OBJECT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            Ok(OBJECT
                .get_or_try_init(py, || {
                    let mut object = py.import($module)?.into_any();
                    for part in $attribute.split('.') {
                        object = object.getattr(part)?;
                    }
                    Ok::<_, PyErr>(object.unbind())
                })?
                .bind(py))
        }
    )*};
}

imports! {
    decimal = "decimal"."Decimal";
    deepcopy = "copy"."deepcopy";
    cached_property = "functools"."cached_property";
    uuid = "uuid"."UUID";
    uuid_safety_unknown = "uuid"."SafeUUID.unknown";
    enum_base = "enum"."Enum";
    object = "builtins"."object";
    hashable = "collections.abc"."Hashable";
    fraction = "fractions"."Fraction";
    ipv4_address = "ipaddress"."IPv4Address";
    ipv4_interface = "ipaddress"."IPv4Interface";
    ipv4_network = "ipaddress"."IPv4Network";
    ipv6_address = "ipaddress"."IPv6Address";
    ipv6_interface = "ipaddress"."IPv6Interface";
    ipv6_network = "ipaddress"."IPv6Network";
    path_like = "os"."PathLike";
    pattern = "re"."Pattern";
    pure_path = "pathlib"."PurePath";
    zone_info = "zoneinfo"."ZoneInfo";
    deque = "collections"."deque";
    ordered_dict = "collections"."OrderedDict";
    counter = "collections"."Counter";
    defaultdict = "collections"."defaultdict";
    sequence = "collections.abc"."Sequence";
    mapping = "collections.abc"."Mapping";
    /// Of Python 3.15.
    frozendict = "builtins"."frozendict";
    partial = "functools"."partial";

    base_model = "pydantic"."BaseModel";
    import_string_text = "pydantic"."ImportString._serialize";
    type_adapter = "pydantic"."TypeAdapter";
    url_base = "pydantic.networks"."_BaseUrl";
    multi_host_url_base = "pydantic.networks"."_BaseMultiHostUrl";
    pydantic_user_error = "pydantic.errors"."PydanticUserError";
    schema_validator = "pydantic_core"."SchemaValidator";
    schema_serializer = "pydantic_core"."SchemaSerializer";
    validation_error = "pydantic_core"."ValidationError";
    custom_error = "pydantic_core"."PydanticCustomError";
    to_json = "pydantic_core"."to_json";
    from_json = "pydantic_core"."from_json";
    known_error = "pydantic_core"."PydanticKnownError";
    omit = "pydantic_core"."PydanticOmit";
    use_default = "pydantic_core"."PydanticUseDefault";
    missing = "pydantic_core"."MISSING";
    url = "pydantic_core"."Url";
    multi_host_url = "pydantic_core"."MultiHostUrl";

    informed = "oxidyn.informed"."informed";
    oxidyn_error = "oxidyn.errors"."OxidynError";
    schema_error = "oxidyn.errors"."SchemaError";
    unsupported_type_error = "oxidyn.errors"."UnsupportedTypeError";
    invalid_item = "oxidyn.errors"."InvalidItem";
    invalid_key = "oxidyn.errors"."InvalidKey";
    invalid_expression = "oxidyn.errors"."InvalidExpression";
    page = "oxidyn.pages"."Page";
}

/// The classes whose values are stored as their `str()`, as Pydantic's JSON mode writes them.
pub fn text_classes(py: Python<'_>) -> PyResult<&Bound<'_, PyTuple>> {
    static CLASSES: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
    let classes = CLASSES.get_or_try_init(py, || {
        let classes = [
            ipv4_address(py)?,
            ipv4_interface(py)?,
            ipv4_network(py)?,
            ipv6_address(py)?,
            ipv6_interface(py)?,
            ipv6_network(py)?,
            pure_path(py)?,
            url(py)?,
            multi_host_url(py)?,
            url_base(py)?,
            multi_host_url_base(py)?,
        ];
        PyTuple::new(py, classes).map(Bound::unbind)
    })?;
    Ok(classes.bind(py))
}

/// `Decimal(text)` without the class's call: a context's method takes two thirds of the time. Its precision is far above
/// the 38 digits of N, so nothing is rounded, and nobody else's settings are asked.
pub fn create_decimal(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static METHOD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let method = METHOD.get_or_try_init(py, || {
        let module = py.import("decimal")?;
        let options = PyDict::new(py);
        options.set_item("prec", 200)?;
        options.set_item("Emin", -999_999)?;
        options.set_item("Emax", 999_999)?;
        options.set_item("clamp", 0)?;
        options.set_item("traps", [module.getattr("InvalidOperation")?])?;
        let context = module.getattr("Context")?.call((), Some(&options))?;
        Ok::<_, PyErr>(context.getattr("create_decimal")?.unbind())
    })?;
    Ok(method.bind(py))
}

/// As `BaseException.add_note`, which Python 3.10 has not.
pub fn add_note(error: &Bound<'_, PyBaseException>, note: &str) -> PyResult<()> {
    let name = intern!(error.py(), "__notes__");
    match error.getattr_opt(name)? {
        Some(notes) => notes.call_method1(intern!(error.py(), "append"), (note,)).map(drop),
        None => error.setattr(name, [note]),
    }
}

macro_rules! slots {
    ($($name:ident = $owner:ident . $attribute:literal;)*) => {$(
        pub fn $name(py: Python<'_>) -> PyResult<&Slot> {
            static SLOT: PyOnceLock<Slot> = PyOnceLock::new();
            SLOT.get_or_try_init(py, || Ok(Slot::new($owner(py)?.getattr("__dict__")?.get_item($attribute)?)))
        }
    )*};
}

slots! {
    uuid_int = uuid."int";
    uuid_is_safe = uuid."is_safe";
    model_fields_set = base_model."__pydantic_fields_set__";
    model_extra = base_model."__pydantic_extra__";
    model_private = base_model."__pydantic_private__";
}
