using System.Collections;

namespace Entrepot.Hosting.Configuration;

/// <summary>One key as the documents tell it.</summary>
/// <param name="Section">The place of the registered class; empty at the root.</param>
/// <param name="Key">The full key; entries of a dictionary are <c>&lt;name&gt;</c>.</param>
internal sealed record DocumentedKey(string Section, string Key, string Type, string Default, string Bounds, string Meaning)
{
    /// <summary>Every key of every registered class, in the order of the classes.</summary>
    public static IEnumerable<DocumentedKey> Of(OptionsSchema schema) =>
        schema.Sections.SelectMany(s => Of(Activator.CreateInstance(s.Type)!, s.Path, s.Path));

    private static IEnumerable<DocumentedKey> Of(object defaults, string section, string path)
    {
        foreach (var property in OptionsModel.Of(defaults.GetType()).Properties)
        {
            var key = path.Length == 0 ? property.Name : $"{path}:{property.Name}";
            var value = property.Get(defaults);
            switch (property.Kind)
            {
                case OptionsKind.Section:
                    foreach (var inner in Of(value ?? Activator.CreateInstance(property.ValueType)!, section, key))
                        yield return inner;
                    break;
                case OptionsKind.Dictionary:
                    var names = value is IDictionary entries ? string.Join(", ", entries.Keys.Cast<string>()) : "";
                    var leaves = ScalarText.Reads(property.ValueType);
                    yield return new(section, $"{key}:<name>", leaves ? TypeOf(property) : "section", names, BoundsOf(property), property.Description);
                    if (!leaves)
                    {
                        foreach (var inner in Of(Activator.CreateInstance(property.ValueType)!, section, $"{key}:<name>"))
                            yield return inner;
                    }

                    break;
                case OptionsKind.List:
                    yield return new(section, key, "list", value is IEnumerable<string> items ? string.Join(", ", items) : "", "", property.Description);
                    break;
                default:
                    yield return new(section, key, TypeOf(property), ScalarText.Format(value, property.IsByteSize), BoundsOf(property), property.Description);
                    break;
            }
        }
    }

    private static string TypeOf(OptionsProperty property) => property switch
    {
        { IsSecret: true } => $"secret (or {property.Name}File)",
        { IsByteSize: true } => "bytes",
        { ValueType.IsEnum: true } => "choice",
        _ when property.ValueType == typeof(TimeSpan) => "duration",
        _ when property.ValueType == typeof(Uri) => "URL",
        _ when property.ValueType == typeof(bool) => "true or false",
        _ when property.ValueType == typeof(string) => "text",
        _ => "number",
    };

    private static string BoundsOf(OptionsProperty property)
    {
        if (property.ValueType.IsEnum)
            return ScalarText.OneOf(Enum.GetNames(property.ValueType));
        if (property.Range is not { } range)
            return "";
        var (low, high) = ScalarText.Bounds(range);
        return $"{ScalarText.Format(low, property.IsByteSize)} to {ScalarText.Format(high, property.IsByteSize)}";
    }
}
