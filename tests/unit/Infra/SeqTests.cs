using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using Entrepot.Api;
using Entrepot.Fetcher;
using Entrepot.Janitor;
using Entrepot.TestSupport.Running;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Entrepot.UnitTests.Infra;

/// <summary>What docs/operations.md and infra/seq ask Seq for is what Entrepot sends it.</summary>
public sealed partial class SeqTests
{
    private const string Pulled = "{Method} {Path} answered {Status} {Cache} in {ElapsedMs} ms, {Bytes} bytes to {Client}";

    public static TheoryData<string, string> Asked { get; } = AllAsked();

    [Theory]
    [MemberData(nameof(Asked))]
    public void Everything_that_is_asked_for_exists(string where, string expression)
    {
        var fault = FaultOf(expression);
        Assert.True(fault is null, $"{where}: {fault}");
    }

    [Theory]
    [InlineData($"@MessageTemplate = '{Pulled}' and Status = 429", null)]
    [InlineData($"select count(*) as pulls, max(ElapsedMs) as ms from stream where @MessageTemplate = '{Pulled}' group by Path order by ms desc limit 9", null)]
    [InlineData("@Resource.service.name like 'entrepot%' and @Level in ['Error'] and @Timestamp >= Now() - 1d", null)]
    [InlineData("@MessageTemplate = '{Method} answered'", "no message is '{Method} answered'")]
    [InlineData($"@MessageTemplate = '{Pulled}' and Digest = 'x'", "no message it asks for has Digest")]
    [InlineData($"select count(*) as pulls from stream where @MessageTemplate = '{Pulled}' order by ms", "no message it asks for has ms")]
    [InlineData("Status = 429", "no message it asks for has Status")]
    [InlineData("@MessageText = 'x'", "Seq knows no @MessageText")]
    [InlineData("@Level = 'Loud'", "no level is 'Loud'")]
    [InlineData("Ago(1d)", "Seq knows no Ago()")]
    public void A_slip_is_found(string expression, string? fault) => Assert.Equal(fault, FaultOf(expression));

    [Fact]
    public void The_queries_of_the_docs_are_those_that_can_be_imported()
    {
        var shown = Blocks().ToHashSet();
        var saved = Templates().Where(t => t.Entity == "sqlquery").Select(t => t.Json.GetProperty("Sql").GetString()!).ToList();
        Assert.Equal(5, saved.Count);
        Assert.All(saved, sql => Assert.Contains(sql, shown));
    }

    [Fact]
    public void A_template_refers_to_templates_that_are_there()
    {
        var files = Templates().Select(t => t.File).ToHashSet();
        var referred = Directory.EnumerateFiles(Folder).SelectMany(file => Reference().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(referred);
        Assert.All(referred, file => Assert.Contains(file, files));
    }

    [Fact]
    public void Titles_are_ours_alone_for_an_import_replaces_what_has_the_same() =>
        Assert.All(Templates(), t => Assert.StartsWith("Entrepot", t.Json.GetProperty("Title").GetString(), StringComparison.Ordinal));

    [Fact]
    public void Spans_and_tags_that_the_docs_name_are_made()
    {
        var sources = string.Concat(Sources());
        var spans = SpanRow().Matches(Section()).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(spans);
        Assert.All(spans, span => Assert.Matches($"""(StartActivity\(|DisplayName = )\$?"{Regex.Escape(span)}""", sources));
        var tags = OurTag().Matches(Section()).Select(match => match.Value).Distinct().ToList();
        Assert.NotEmpty(tags);
        Assert.All(tags, tag => Assert.Contains($"SetTag(\"{tag}\"", sources, StringComparison.Ordinal));
    }

    private static string Folder => Path.Combine(Checkout.Root, "infra/seq");

    // Expressions of Seq's own language (its documentation: search expressions, and queries).
    private static readonly HashSet<string> BuiltIns =
        ["@Elapsed", "@Level", "@Message", "@MessageTemplate", "@Resource.service.instance.id", "@Resource.service.name", "@Start", "@Timestamp", "@TraceId"];
    private static readonly HashSet<string> Functions = ["count", "Has", "last", "max", "min", "Now", "percentile", "Round", "sum", "ToIsoString", "TotalMilliseconds"];
    private static readonly HashSet<string> Keywords =
        ["and", "as", "asc", "by", "desc", "from", "group", "having", "in", "is", "like", "limit", "not", "null", "or", "order", "select", "stream", "where"];

    /// <summary>All log messages of ours: their templates.</summary>
    private static readonly HashSet<string> Messages = new[] { typeof(ApiModule), typeof(FetcherModule), typeof(JanitorModule) }
        .SelectMany(type => type.Assembly.GetTypes())
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>()?.Message).OfType<string>().ToHashSet();

    /// <summary>The first thing that an expression asks for and nobody has; null when there is none.</summary>
    private static string? FaultOf(string expression)
    {
        var literals = Literal().Matches(expression).Select(match => match.Groups[1].Value).ToList();
        var messages = literals.Where(literal => literal.Contains('{')).ToList();
        var levels = AskedLevels().Matches(expression).SelectMany(match => Literal().Matches(match.Value)).Select(match => match.Groups[1].Value);
        var bare = Number().Replace(Literal().Replace(expression, " "), " ");
        var aliases = Alias().Matches(bare).Select(match => match.Groups[1].Value).ToHashSet();
        var holes = messages.SelectMany(message => Hole().Matches(message)).Select(match => match.Groups[1].Value).ToHashSet();

        if (messages.Find(message => !Messages.Contains(message)) is { } unknown) return $"no message is '{unknown}'";
        if (levels.FirstOrDefault(level => !Enum.IsDefined(typeof(LogLevel), level)) is { } word) return $"no level is '{word}'";
        foreach (var name in Word().Matches(bare).Select(match => match.Value))
        {
            if (name[0] == '@' ? BuiltIns.Contains(name) : name[^1] == '(' ? Functions.Contains(name[..^1]) : Keywords.Contains(name) || aliases.Contains(name) || holes.Contains(name)) continue;
            return name[0] == '@' ? $"Seq knows no {name}" : name[^1] == '(' ? $"Seq knows no {name})" : $"no message it asks for has {name}";
        }
        return null;
    }

    private static TheoryData<string, string> AllAsked()
    {
        var all = new TheoryData<string, string>();
        foreach (var block in Blocks()) all.Add("docs/operations.md", block);
        foreach (var (file, entity, json) in Templates())
        {
            switch (entity)
            {
                case "signal":
                    foreach (var filter in json.GetProperty("Filters").EnumerateArray()) all.Add(file, filter.GetProperty("Filter").GetString()!);
                    break;
                case "sqlquery":
                    all.Add(file, json.GetProperty("Sql").GetString()!);
                    break;
                case "dashboard":
                    foreach (var chart in json.GetProperty("Charts").EnumerateArray())
                        foreach (var query in chart.GetProperty("Queries").EnumerateArray()) all.Add($"{file}, {chart.GetProperty("Title").GetString()}", QueryOf(query));
                    break;
                default:
                    throw new InvalidDataException($"{file} is of kind {entity}, which this test does not read.");
            }
        }
        return all;
    }

    /// <summary>What Seq makes of a chart.</summary>
    private static string QueryOf(JsonElement query)
    {
        var columns = query.GetProperty("Measurements").EnumerateArray().Select(m => $"{m.GetProperty("Value").GetString()} as {m.GetProperty("Label").GetString()}");
        return $"select {string.Join(", ", columns)} from stream where {query.GetProperty("Where").GetString()} {Clause("group by", "GroupBy")} {Clause("order by", "OrderBy")}";

        string Clause(string words, string name) => query.GetProperty(name).GetArrayLength() == 0 ? "" : $"{words} {string.Join(", ", query.GetProperty(name).EnumerateArray().Select(e => e.GetString()))}";
    }

    /// <summary>The files as <c>seqcli template import</c> reads them: JSON, and <c>ref("FILE")</c> for the id that the entity of another file got.</summary>
    private static IEnumerable<(string File, string Entity, JsonElement Json)> Templates() => Directory.EnumerateFiles(Folder, "*.template").Select(file =>
    {
        var json = JsonDocument.Parse(Reference().Replace(File.ReadAllText(file), "\"$1\"")).RootElement;
        return (Path.GetFileName(file), json.GetProperty("$entity").GetString()!, json);
    });

    private static string Section() => SeqSection().Match(File.ReadAllText(Path.Combine(Checkout.Root, "docs/operations.md"))).Value;

    private static IEnumerable<string> Blocks() => SqlBlock().Matches(Section()).Select(match => match.Groups[1].Value.TrimEnd());

    private static IEnumerable<string> Sources() => new[] { "services", "shared" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
        .Select(File.ReadAllText);

    [GeneratedRegex("^## Seq\n.*?(?=^## )", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex SeqSection();

    [GeneratedRegex("^```sql\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex SqlBlock();

    [GeneratedRegex(@"^\| `([a-z ]+)", RegexOptions.Multiline)]
    private static partial Regex SpanRow();

    [GeneratedRegex(@"\bentrepot\.[a-z]+\b(?!\.)")]
    private static partial Regex OurTag();

    [GeneratedRegex("""\bref\("([^"]+)"\)""")]
    private static partial Regex Reference();

    [GeneratedRegex("'((?:[^']|'')*)'")]
    private static partial Regex Literal();

    [GeneratedRegex(@"@Level (?:= '[^']*'|in \[[^\]]*\])")]
    private static partial Regex AskedLevels();

    [GeneratedRegex(@"\b\d+[a-z]*\b")]
    private static partial Regex Number();

    [GeneratedRegex(@"\bas (\w+)")]
    private static partial Regex Alias();

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Hole();

    [GeneratedRegex(@"@?[A-Za-z_][\w.]*\(?")]
    private static partial Regex Word();
}
