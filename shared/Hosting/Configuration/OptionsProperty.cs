using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;

namespace Entrepot.Hosting.Configuration;

/// <summary>What may stand at a key.</summary>
internal enum OptionsKind
{
    /// <summary>One value.</summary>
    Scalar,

    /// <summary>A list of texts.</summary>
    List,

    /// <summary>A nested options object.</summary>
    Section,

    /// <summary>Entries by name.</summary>
    Dictionary,
}

/// <summary>One key of an options class.</summary>
internal sealed class OptionsProperty
{
    private readonly PropertyInfo _property;
    private readonly Lazy<object[]> _attributes;

    private OptionsProperty(PropertyInfo property, OptionsKind kind, Type valueType)
    {
        (_property, Kind, ValueType) = (property, kind, valueType);
        _attributes = new(() => property.GetCustomAttributes(inherit: true));
    }

    public string Name => _property.Name;

    public OptionsKind Kind { get; }

    /// <summary>The scalar's type without Nullable, the nested class, or the class (or scalar) of dictionary entries.</summary>
    public Type ValueType { get; }

    public Type DeclaredType => _property.PropertyType;

    public bool IsNullable => Nullable.GetUnderlyingType(_property.PropertyType) is not null;

    public bool IsSecret => ValueType == typeof(string) && Kind == OptionsKind.Scalar && (_property.IsDefined(typeof(SecretAttribute), inherit: true)
        || _property.GetCustomAttribute<PasswordPropertyTextAttribute>() is { Password: true });

    public bool IsByteSize => Attribute<ByteSizeAttribute>() is not null;

    public RangeAttribute? Range => Attribute<RangeAttribute>();

    public string Description => Attribute<DescriptionAttribute>()?.Description ?? "";

    public static OptionsProperty? FromOrNull(PropertyInfo property)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (type == typeof(string[]) || type == typeof(List<string>))
            return property.SetMethod is null ? null : new(property, OptionsKind.List, typeof(string));
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Dictionary<,>) && type.GenericTypeArguments[0] == typeof(string))
            return new(property, OptionsKind.Dictionary, type.GenericTypeArguments[1]);
        if (ScalarText.Reads(type))
            return property.SetMethod is null ? null : new(property, OptionsKind.Scalar, type);

        // A computed property of some other type is no key; a settable or filled options object is.
        return type is { IsClass: true, IsAbstract: false } && type.GetConstructor(Type.EmptyTypes) is not null && property.SetMethod is not null
            ? new(property, OptionsKind.Section, type) : null;
    }

    public object? Get(object target) => _property.GetValue(target);

    public void Set(object target, object? value) => _property.SetValue(target, value);

    private T? Attribute<T>() where T : Attribute => _attributes.Value.OfType<T>().FirstOrDefault();
}
