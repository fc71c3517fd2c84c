using System.Text.Json;

namespace Entrepot.Hosting.Configuration;

/// <summary>A JSON file (comments and trailing commas allowed) as flat settings.</summary>
internal static class JsonSettings
{
    /// <summary>What an empty object or array is held as, so that it differs from null and from an empty text.</summary>
    public const string EmptyObject = "{}";
    public const string EmptyArray = "[]";

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The file's settings, or null after adding an error that names the file, and the line where there is one.</summary>
    public static List<KeyValuePair<string, string?>>? Read(string file, ICollection<ConfigError> errors)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file), Lenient);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                errors.Add(new ConfigError(file, null, "is not a JSON object", "write { \"Urls\": \"http://0.0.0.0:5000\" }"));
                return null;
            }

            var settings = new List<KeyValuePair<string, string?>>();
            var duplicates = errors.Count;
            Flatten(document.RootElement, "", file, settings, new HashSet<string>(StringComparer.OrdinalIgnoreCase), errors);
            return errors.Count == duplicates ? settings : null;
        }
        catch (JsonException e)
        {
            // The parser counts lines and columns from 0, editors from 1.
            var problem = e.Message.Split(" LineNumber:")[0].TrimEnd('.');
            errors.Add(new ConfigError($"{file}({e.LineNumber + 1},{e.BytePositionInLine + 1})", null, $"is not valid JSON: {problem}", "mend the syntax there"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(new ConfigError("--config", file, $"cannot be read: {e.Message}", "name a JSON file that this user can read"));
        }

        return null;
    }

    private static void Flatten(
        JsonElement element, string key, string file, List<KeyValuePair<string, string?>> settings, HashSet<string> seen, ICollection<ConfigError> errors)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object when element.EnumerateObject().MoveNext():
                foreach (var property in element.EnumerateObject())
                {
                    // "$schema" is for editors.
                    if (key.Length == 0 && property.NameEquals("$schema"))
                        continue;
                    var child = Child(key, ConfigKey.Escape(property.Name));
                    if (!seen.Add(child))
                        errors.Add(new ConfigError(ConfigKey.Shown(child), null, $"stands twice in {file}", "keep one of the two"));
                    else
                        Flatten(property.Value, child, file, settings, seen, errors);
                }

                break;
            case JsonValueKind.Array when element.GetArrayLength() > 0:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                    Flatten(item, Child(key, (index++).ToString(CultureInfo.InvariantCulture)), file, settings, seen, errors);
                break;
            default:
                if (key.Length > 0)
                    settings.Add(new(key, Text(element)));
                break;
        }
    }

    private static string Child(string key, string name) => key.Length == 0 ? name : $"{key}:{name}";

    private static string? Text(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Object => EmptyObject,
        JsonValueKind.Array => EmptyArray,
        _ => element.GetRawText(),
    };
}
