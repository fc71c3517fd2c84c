using Entrepot.Hosting.Configuration;

namespace Entrepot.Hosting;

/// <summary>The documents that tell every key, made from the options classes so that they cannot lie.</summary>
public static class ConfigurationDocs
{
    /// <summary>The document in <c>docs/</c> whose part between the markers is generated.</summary>
    public const string MarkdownFile = "configuration.md";

    /// <summary>The JSON schema in <c>docs/</c>.</summary>
    public const string SchemaFile = "entrepot.schema.json";

    private const string Begin = "<!-- generated -->";
    private const string End = "<!-- /generated -->";

    /// <summary>What the documents in a folder say otherwise than the classes; empty when they agree.</summary>
    public static IReadOnlyList<string> Compare(OptionsSchema schema, string folder)
    {
        var differences = new List<string>();
        Compare(Path.Combine(folder, MarkdownFile), text => Insert(text, schema.ToMarkdown()), differences);
        Compare(Path.Combine(folder, SchemaFile), _ => schema.ToJsonSchema(), differences);
        return differences;
    }

    /// <summary>Rewrites the schema and the generated part of the markdown in a folder that holds both.</summary>
    public static void Write(OptionsSchema schema, string folder)
    {
        var markdown = Path.Combine(folder, MarkdownFile);
        File.WriteAllText(markdown, Insert(File.ReadAllText(markdown), schema.ToMarkdown()));
        File.WriteAllText(Path.Combine(folder, SchemaFile), schema.ToJsonSchema());
    }

    /// <summary>The document with what stands between its markers replaced.</summary>
    /// <exception cref="FormatException">The document lacks the markers.</exception>
    public static string Insert(string document, string generated)
    {
        var begin = document.IndexOf(Begin, StringComparison.Ordinal);
        var end = document.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
            throw new FormatException($"the document has no {Begin} before {End}");
        return $"{document[..(begin + Begin.Length)]}\n{generated.Trim('\n')}\n{document[end..]}";
    }

    internal static string ToHelp(OptionsSchema schema, string program)
    {
        var text = new StringWriter { NewLine = "\n" };
        text.WriteLine($"usage: {program} [--config FILE] [--Key=value | --Key value]... [--help] [--version]");
        text.WriteLine();
        text.WriteLine($"Settings come from {EntrepotConfiguration.DefaultFile} in the current directory (or FILE), from variables such as Entrepot__Log__Level,");
        text.WriteLine("and from the command line; later ones win. A name with a colon is written in brackets: --Upstreams:[localhost:5000]:Url=...");
        text.WriteLine();
        foreach (var key in DocumentedKey.Of(schema))
            text.WriteLine($"  --{key.Key}  ({key.Type}{(key.Default.Length == 0 ? "" : $", default {key.Default}")}{(key.Bounds.Length == 0 ? "" : $", {key.Bounds}")})\n      {key.Meaning}");
        return text.ToString();
    }

    private static void Compare(string file, Func<string, string> expected, List<string> differences)
    {
        var text = File.Exists(file) ? File.ReadAllText(file) : "";
        string wanted;
        try
        {
            wanted = expected(text);
        }
        catch (FormatException e)
        {
            differences.Add($"{file}: {e.Message}");
            return;
        }

        var (have, want) = (text.Split('\n'), wanted.Split('\n'));
        differences.AddRange(want.Except(have).Select(l => $"{file} lacks: {l}"));
        differences.AddRange(have.Except(want).Select(l => $"{file} should not have: {l}"));
        if (text != wanted && differences.Count == 0)
            differences.Add($"{file} has the right lines in the wrong order");
    }
}
