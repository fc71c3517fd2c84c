using System.Text;
using Entrepot.Hosting.Configuration;

namespace Entrepot.Hosting;

/// <summary>The options classes as documents.</summary>
public static class OptionsSchemaDocuments
{
    /// <summary>One table for each section: key, type, default, bounds, meaning.</summary>
    public static string ToMarkdown(this OptionsSchema schema)
    {
        var text = new StringBuilder();
        foreach (var section in DocumentedKey.Of(schema).GroupBy(k => k.Section))
        {
            text.Append("\n### ").Append(section.Key.Length == 0 ? "Root" : section.Key).Append("\n\n| key | type | default | bounds | meaning |\n|---|---|---|---|---|\n");
            foreach (var key in section)
                text.Append($"| `{key.Key}` | {key.Type} | {Code(key.Default)} | {key.Bounds} | {key.Meaning.Replace("|", "\\|", StringComparison.Ordinal)} |\n");
        }

        return text.ToString();
    }

    /// <summary>The JSON schema (draft 2020-12) of <c>entrepot.json</c>.</summary>
    public static string ToJsonSchema(this OptionsSchema schema) => JsonSchemaWriter.Write(schema);

    private static string Code(string text) => text.Length == 0 ? "" : $"`{text.Replace("|", "\\|", StringComparison.Ordinal)}`";
}
