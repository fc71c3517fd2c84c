using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Entrepot.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class OptionsSchemaFacts
{
    [Fact]
    public void Every_kind_of_value_is_read()
    {
        var options = Bind(new()
        {
            ["Sample:Text"] = "a b",
            ["Sample:Flag"] = "TRUE",
            ["Sample:Count"] = "7",
            ["Sample:Big"] = "9000000000",
            ["Sample:Ratio"] = "0.25",
            ["Sample:Wait"] = "5m",
            ["Sample:Size"] = "10GiB",
            ["Sample:Level"] = "warning",
            ["Sample:Link"] = "http://a.test/x",
            ["Sample:Names:0"] = "x",
            ["Sample:Names:1"] = "y",
            ["Sample:More"] = "p, q",
            ["Sample:Inner:Depth"] = "2",
            ["Sample:Maybe"] = "3s",
        }).Get<Sample>();
        Assert.Equal(("a b", true, 7, 9_000_000_000, 0.25), (options.Text, options.Flag, options.Count, options.Big, options.Ratio));
        Assert.Equal((TimeSpan.FromMinutes(5), 10L << 30, LogLevel.Warning), (options.Wait, options.Size, options.Level));
        Assert.Equal((new Uri("http://a.test/x"), 2, TimeSpan.FromSeconds(3)), (options.Link, options.Inner.Depth, options.Maybe));
        Assert.Equal(["x", "y"], options.Names);
        Assert.Equal(["p", "q"], options.More);
    }

    [Theory]
    [InlineData("00:01:00", 60_000)]
    [InlineData("30s", 30_000)]
    [InlineData("5m", 300_000)]
    [InlineData("2h", 7_200_000)]
    [InlineData("500ms", 500)]
    [InlineData("7d", 604_800_000)]
    [InlineData("1.5 h", 5_400_000)]
    [InlineData("0s", 0)]
    public void A_duration_is_read(string text, long milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Bind(new() { ["Sample:Wait"] = text }).Get<Sample>().Wait);

    [Theory]
    [InlineData("10GiB", 10L << 30)]
    [InlineData("512MB", 512_000_000)]
    [InlineData("64 kib", 65_536)]
    [InlineData("1.5MiB", 1_572_864)]
    [InlineData("100B", 100)]
    [InlineData("12345", 12_345)]
    public void A_size_is_read(string text, long bytes) => Assert.Equal(bytes, Bind(new() { ["Sample:Size"] = text }).Get<Sample>().Size);

    [Theory]
    [InlineData("Sample:Wait", "30", "Sample:Wait = \"30\": is not a duration; write its unit too, such as 30s")]
    [InlineData("Sample:Wait", "-5s", "Sample:Wait = \"-5s\": is not a duration; write 500ms, 30s, 5m, 2h, 7d or 00:01:00")]
    [InlineData("Sample:Size", "10G", "Sample:Size = \"10G\": is not a number of bytes; write 10GiB, 512MB or plain bytes")]
    [InlineData("Sample:Size", "99999999TiB", "Sample:Size = \"99999999TiB\": is not a number of bytes; write 10GiB, 512MB or plain bytes")]
    [InlineData("Sample:Count", "11", "Sample:Count = \"11\": is out of bounds; write 1 to 10")]
    [InlineData("Sample:Count", "x", "Sample:Count = \"x\": is not a whole number in range; write digits only")]
    [InlineData("Sample:Count", "", "Sample:Count = \"\": is empty; write a value or leave the key out")]
    [InlineData("Sample:Wait", "31d", "Sample:Wait = \"31d\": is out of bounds; write 0s to 30d")]
    [InlineData("Sample:Flag", "yes", "Sample:Flag = \"yes\": is neither true nor false; write true or false")]
    [InlineData("Sample:Level", "3", "Sample:Level = \"3\": is not one of the known values; write Trace, Debug, Information, Warning, Error, Critical or None")]
    [InlineData("Sample:Link", "htps://x", "Sample:Link = \"htps://x\": is not an http(s) URL; write https://x")]
    [InlineData("Sample:Link", "ftp://me:pw@x/y", "Sample:Link = \"ftp://***@x/y\": is not an http(s) URL; write https://***@x/y")]
    [InlineData("Sample:Ratio", "1,5", "Sample:Ratio = \"1,5\": is not a number; write a number such as 0.5")]
    [InlineData("Sample:Inner", "5", "Sample:Inner: is one value and not a section; write an object with Depth")]
    [InlineData("Sample:Count:Deep", "5", "Sample:Count: is a section and not one value; write one value")]
    [InlineData("Sample:Cuont", "5", "Sample:Cuont: is not a known key; did you mean Count?")]
    [InlineData("Sample:Inner:Dept", "5", "Sample:Inner:Dept: is not a known key; did you mean Depth?")]
    [InlineData("Smaple:Count", "5", "Smaple: is not a known key; did you mean Sample?")]
    [InlineData("Sample:Hosts:ghrc.io", null, "Sample:Hosts:ghrc.io: is empty, but there is no built-in entry of that name to remove; did you mean ghcr.io?")]
    [InlineData("Sample:Hosts:quay.io:Prot", "1", "Sample:Hosts:quay.io:Prot: is not a known key; did you mean Port?")]
    [InlineData("Sample:Hosts:localhost%3A5000:Port", "0", "Sample:Hosts:[localhost:5000]:Port = \"0\": is out of bounds; write 1 to 65535")]
    public void A_mistake_names_key_value_and_fix(string key, string? value, string expected) =>
        Assert.Equal(expected, Assert.Single(Errors(new() { [key] = value })).ToString());

    [Fact]
    public void All_mistakes_come_at_once() => Assert.Equal(4, Errors(new()
    {
        ["Sample:Count"] = "x",
        ["Sample:Foo"] = "1",
        ["Sample:Hosts:a.b:Port"] = "z",
        ["Sample:Text"] = "forbidden",
    }).Count);

    [Fact]
    public void Built_in_entries_are_merged_over_removed_and_added_to()
    {
        var hosts = Bind(new()
        {
            ["Sample:Hosts:GHCR.io:Port"] = "8443",
            ["Sample:Hosts:quay.io"] = null,
            ["Sample:Hosts:new.test:Name"] = "n",
            ["Sample:Hosts:localhost%3A5000"] = "{}",
        }).Get<Sample>().Hosts;
        Assert.Equal(["ghcr.io", "localhost:5000", "new.test"], hosts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("github", 8443), (hosts["ghcr.io"]!.Name, hosts["ghcr.io"]!.Port));
        Assert.Equal(("n", 443), (hosts["new.test"]!.Name, hosts["new.test"]!.Port));
    }

    [Fact]
    public void Binding_again_begins_with_the_defaults()
    {
        var schema = new OptionsSchema().Add<Sample>("Sample");
        schema.Bind(Settings(new() { ["Sample:Hosts:ghcr.io"] = null, ["Sample:Hosts:quay.io:Port"] = "1" }));
        var again = schema.Bind(Settings([])).Get<Sample>().Hosts;
        Assert.Equal(443, again["quay.io"]!.Port);
        Assert.Contains("ghcr.io", again.Keys);
    }

    [Fact]
    public void A_secret_may_come_from_a_file_less_one_line_end()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "s3cret\n\n");
        Assert.Equal("s3cret\n", Bind(new() { ["Sample:PasswordFile"] = file }).Get<Sample>().Password);
        var both = Assert.Single(Errors(new() { ["Sample:PasswordFile"] = file, ["Sample:Password"] = "hunter2" }));
        Assert.Equal($"Sample:PasswordFile = \"{file}\": is given beside Password; keep one of the two", both.ToString());
        File.Delete(file);
        var missing = Assert.Single(Errors(new() { ["Sample:PasswordFile"] = file }));
        Assert.Equal($"Sample:PasswordFile = \"{file}\": does not exist; name a file that this user can read", missing.ToString());
    }

    [Fact]
    public void A_process_that_needs_no_secrets_has_none_and_opens_none_of_their_files()
    {
        var bound = new OptionsSchema().AddWithoutSecrets<Sample>("Sample").Bind(Settings(new() { ["Sample:PasswordFile"] = "/no/such/file", ["Sample:Password"] = "hunter2" }));
        Assert.Empty(bound.Errors);
        Assert.Equal(new Sample().Password, bound.Get<Sample>().Password);
    }

    [Fact]
    public void A_secret_is_printed_by_no_mistake() => Assert.All(
        Errors(new() { ["Sample:Password"] = "hunter2-bad", ["Sample:Pasword"] = "hunter2", ["Sample:Hosts:a.b:Password"] = "hunter2" }),
        e => Assert.DoesNotContain("hunter2", e.ToString(), StringComparison.Ordinal));

    [Fact]
    public void Several_classes_share_the_root_and_know_each_others_keys()
    {
        var schema = new OptionsSchema().Add<PlatformOptions>("").Add<Inner>("").Add<Sample>("Api:Sample");
        Assert.Empty(schema.Bind(Settings(new() { ["Urls"] = "http://*:1", ["Depth"] = "3", ["Api:Sample:Count"] = "2" })).Errors);
        Assert.Equal("Api:Smple: is not a known key; did you mean Sample?", Assert.Single(schema.Bind(Settings(new() { ["Api:Smple:Count"] = "2" })).Errors).ToString());
    }

    [Fact]
    public void Documents_tell_every_key_and_differences_are_found()
    {
        var schema = new OptionsSchema().Add<Sample>("Sample");
        Assert.Contains("| `Sample:Wait` | duration | `30s` | 0s to 30d | How long \\| to wait |", schema.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("| `Sample:Size` | bytes | `1GiB` |", schema.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("| `Sample:Hosts:<name>` | section | `ghcr.io, quay.io` |", schema.ToMarkdown(), StringComparison.Ordinal);
        Assert.Contains("\"PasswordFile\"", schema.ToJsonSchema(), StringComparison.Ordinal);

        var folder = Directory.CreateTempSubdirectory().FullName;
        File.WriteAllText(Path.Combine(folder, ConfigurationDocs.MarkdownFile), "# Keys\n\n<!-- generated -->\nold\n<!-- /generated -->\nend\n");
        Assert.NotEmpty(ConfigurationDocs.Compare(schema, folder));
        ConfigurationDocs.Write(schema, folder);
        Assert.Empty(ConfigurationDocs.Compare(schema, folder));
        Assert.EndsWith("<!-- /generated -->\nend\n", File.ReadAllText(Path.Combine(folder, ConfigurationDocs.MarkdownFile)), StringComparison.Ordinal);
        Assert.NotEmpty(ConfigurationDocs.Compare(new OptionsSchema().Add<Inner>(""), folder));
        Directory.Delete(folder, recursive: true);
    }

    private static IConfiguration Settings(Dictionary<string, string?> settings) => new ConfigurationBuilder().AddInMemoryCollection(settings).Build();

    private static IReadOnlyList<ConfigError> Errors(Dictionary<string, string?> settings) => new OptionsSchema().Add<Sample>("Sample").Bind(Settings(settings)).Errors;

    private static BoundOptions Bind(Dictionary<string, string?> settings)
    {
        var bound = new OptionsSchema().Add<Sample>("Sample").Bind(Settings(settings));
        Assert.Empty(bound.Errors);
        return bound;
    }

    internal sealed class Sample : IValidatableSection
    {
        public string Text { get; set; } = "t";

        public bool Flag { get; set; }

        [Range(1, 10)]
        public int Count { get; set; } = 5;

        public long Big { get; set; }

        public double Ratio { get; set; }

        [Description("How long | to wait"), Range(typeof(TimeSpan), "00:00:00", "30.00:00:00")]
        public TimeSpan Wait { get; set; } = TimeSpan.FromSeconds(30);

        public TimeSpan? Maybe { get; set; }

        [ByteSize]
        public long Size { get; set; } = 1L << 30;

        public LogLevel Level { get; set; }

        public Uri? Link { get; set; }

        public string[] Names { get; set; } = ["a"];

        public List<string> More { get; set; } = [];

        public Inner Inner { get; set; } = new();

        [Secret]
        public string? Password { get; set; }

        public Dictionary<string, Host?> Hosts { get; } = new() { ["ghcr.io"] = new() { Name = "github" }, ["quay.io"] = new() { Name = "redhat" } };

        public IEnumerable<ConfigError> Validate(string path)
        {
            if (Text == "forbidden")
                yield return new ConfigError($"{path}:Text", Text, "is forbidden", "write something else");
            if (Password?.EndsWith("bad", StringComparison.Ordinal) == true)
                yield return new ConfigError($"{path}:Password", Password, "is bad", "write a better one");
        }
    }

    internal sealed class Inner
    {
        public int Depth { get; set; } = 1;
    }

    internal sealed class Host : IValidatableSection
    {
        public string Name { get; set; } = "";

        [Range(1, 65535)]
        public int Port { get; set; } = 443;

        [Secret]
        public string? Password { get; set; }

        public IEnumerable<ConfigError> Validate(string path)
        {
            if (Password is not null)
                yield return new ConfigError($"{path}:Password", Password, "has no user", "write a Username");
        }
    }
}
