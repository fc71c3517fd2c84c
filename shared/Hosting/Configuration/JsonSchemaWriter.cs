using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Entrepot.Hosting.Configuration;

/// <summary>The JSON schema of the settings file, so that an editor knows its keys.</summary>
internal static class JsonSchemaWriter
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(OptionsSchema schema)
    {
        var root = Empty();
        root.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        root.Insert(1, "title", "Entrepot settings");
        ((JsonObject)root["properties"]!)["$schema"] = new JsonObject { ["type"] = "string" };
        foreach (var (path, type) in schema.Sections)
        {
            var place = root;
            foreach (var name in path.Split(':', StringSplitOptions.RemoveEmptyEntries))
            {
                var properties = (JsonObject)place["properties"]!;
                properties[name] ??= Empty();
                place = (JsonObject)properties[name]!;
            }

            AddProperties((JsonObject)place["properties"]!, Activator.CreateInstance(type)!);
        }

        return root.ToJsonString(Readable) + "\n";
    }

    private static JsonObject Empty() => new() { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = new JsonObject() };

    private static JsonObject Section(object defaults)
    {
        var section = Empty();
        AddProperties((JsonObject)section["properties"]!, defaults);
        return section;
    }

    private static void AddProperties(JsonObject properties, object defaults)
    {
        foreach (var property in OptionsModel.Of(defaults.GetType()).Properties)
        {
            var value = property.Get(defaults);
            var schema = property.Kind switch
            {
                OptionsKind.Section => Section(value ?? Activator.CreateInstance(property.ValueType)!),
                OptionsKind.List => new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string" } },
                OptionsKind.Dictionary => Dictionary(property),
                _ => Scalar(property),
            };
            if (property.Description.Length > 0)
                schema["description"] = property.Description;
            if (property.Kind == OptionsKind.Scalar && value is not null && !property.IsSecret)
                schema["default"] = Default(value, property);
            properties[property.Name] = schema;
            if (property.IsSecret)
                properties[property.Name + "File"] = new JsonObject { ["type"] = "string", ["description"] = $"File that holds {property.Name}" };
        }
    }

    private static JsonObject Dictionary(OptionsProperty property) => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = new JsonObject
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["type"] = "null" },
                ScalarText.Reads(property.ValueType) ? Scalar(property) : Section(Activator.CreateInstance(property.ValueType)!)),
        },
    };

    private static JsonObject Scalar(OptionsProperty property)
    {
        if (property.ValueType.IsEnum)
            return new() { ["enum"] = new JsonArray([.. Enum.GetNames(property.ValueType).Select(n => (JsonNode)n)]) };
        if (property.IsByteSize)
            return new() { ["type"] = new JsonArray("integer", "string"), ["pattern"] = "^[0-9.]+ *([KMGTkmgt][Ii]?[Bb]|[Bb])?$", ["minimum"] = 0 };
        if (property.ValueType == typeof(TimeSpan))
            return new() { ["type"] = "string", ["pattern"] = "^([0-9.]+ *([Mm][Ss]|[SsMmHhDd])|[0-9.]*[0-9]+:[0-9]+(:[0-9.]+)?)$" };
        if (property.ValueType == typeof(bool))
            return new() { ["type"] = "boolean" };
        if (property.ValueType == typeof(Uri))
            return new() { ["type"] = "string", ["format"] = "uri", ["pattern"] = "^https?://" };
        if (property.ValueType == typeof(string))
            return new() { ["type"] = "string" };
        var number = new JsonObject { ["type"] = property.ValueType == typeof(double) ? "number" : "integer" };
        if (property.Range is { } range)
        {
            number["minimum"] = JsonValue.Create(Convert.ToDecimal(range.Minimum, CultureInfo.InvariantCulture));
            number["maximum"] = JsonValue.Create(Convert.ToDecimal(range.Maximum, CultureInfo.InvariantCulture));
        }

        return number;
    }

    private static JsonValue Default(object value, OptionsProperty property) => value switch
    {
        bool flag => JsonValue.Create(flag),
        int or long or double when !property.IsByteSize => JsonValue.Create(Convert.ToDecimal(value, CultureInfo.InvariantCulture)),
        _ => JsonValue.Create(ScalarText.Format(value, property.IsByteSize)),
    };
}
