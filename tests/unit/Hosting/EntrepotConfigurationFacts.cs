using Entrepot.Hosting;
using Entrepot.Hosting.Configuration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class EntrepotConfigurationFacts : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;
    private readonly List<ConfigError> _errors = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void File_then_variables_then_command_line_win()
    {
        WriteFile("""
            // a comment
            { "$schema": "x", "Urls": "file", "DataDirectory": "file", "Log": { "Level": "Debug", }, "Names": ["a", "b"], }
            """);
        var settings = Load(["--DataDirectory", "line", "--Upstreams:docker.io:Username=me"], ("ENTREPOT__DataDirectory", "variable"), ("Entrepot__Log__Level", "Error"), ("Other", "x"));
        Assert.Equal(("file", "line", "Error", "b", "me"),
            (settings["Urls"], settings["DataDirectory"], settings["Log:Level"], settings["Names:1"], settings["Upstreams:docker.io:Username"]));
        Assert.DoesNotContain(settings.GetChildren(), c => c.Key is "$schema" or "Other");
        Assert.Empty(_errors);
    }

    [Fact]
    public void A_later_place_removes_what_an_earlier_one_describes_and_brings_back_what_it_removed()
    {
        WriteFile("""{ "Upstreams": { "ghcr.io": { "Url": "http://a" }, "quay.io": null } }""");
        var settings = Load([], ("Entrepot__Upstreams__ghcr.io", ""), ("Entrepot__Upstreams__quay.io__Url", "http://b"));
        Assert.Empty(settings.GetSection("Upstreams:ghcr.io").GetChildren());
        Assert.Equal("http://b", settings["Upstreams:quay.io:Url"]);
    }

    [Fact]
    public void A_name_with_a_colon_is_one_name_wherever_it_comes_from()
    {
        WriteFile("""{ "Upstreams": { "localhost:5000": { "A": 1 } } }""");
        var entry = Load(["--Upstreams:[localhost:5000]:C=3"], ("Entrepot__Upstreams__localhost:5000__B", "2")).GetSection("Upstreams").GetChildren().Single();
        Assert.Equal(["A", "B", "C"], entry.GetChildren().Select(c => c.Key));
    }

    [Fact]
    public void A_syntax_error_names_file_and_line()
    {
        var file = WriteFile("{\n  \"Urls\": \"x\"\n  \"DataDirectory\": 1\n}");
        Load([]);
        Assert.StartsWith($"{file}(3,3): is not valid JSON: ", Assert.Single(_errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_stands_twice_is_a_mistake()
    {
        WriteFile("""{ "Log": { "Level": "Debug" }, "log": { "level": "Error" } }""");
        Load([]);
        Assert.StartsWith("log: stands twice in ", Assert.Single(_errors).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_named_file_must_exist_and_the_default_one_need_not()
    {
        Load([]);
        Assert.Empty(_errors);
        Load(["--config", "/nowhere/x.json"]);
        Assert.Equal("--config = \"/nowhere/x.json\": does not exist; name an existing JSON file", Assert.Single(_errors).ToString());
    }

    [Fact]
    public void Bare_arguments_and_missing_values_are_mistakes_that_do_not_show_their_text()
    {
        Load(["--Password=", "hunter2", "--Urls"]);
        Assert.Equal(
            ["argument 2: is not an option; write --Key=value or --Key value; --help lists the keys", "--Urls: has no value; write --Urls=value"],
            _errors.Select(e => e.ToString()));
    }

    [Fact]
    public void A_process_prints_all_mistakes_and_ends_with_2()
    {
        var file = WriteFile("""{ "Urls": "htp://x", "DataDirectroy": "d", "ShutdownGrace": "5" }""");
        var (start, output, error) = Read(["--config", file, "stray"]);
        Assert.Equal((2, ""), (start.ExitCode, output));
        Assert.Equal(5, error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("did you mean DataDirectory?", error, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => start.Options);
    }

    [Fact]
    public void Help_lists_the_keys_and_version_the_version()
    {
        var (help, text, _) = Read(["--help"]);
        Assert.Equal(0, help.ExitCode);
        Assert.Contains("--ShutdownGrace  (duration, default 30s, 0s to 1h)", text, StringComparison.Ordinal);
        var (version, number, _) = Read(["--version"]);
        Assert.Equal(0, version.ExitCode);
        Assert.Matches(@" \d+\.\d+\.\d+\s*$", number);
    }

    [Fact]
    public void A_process_without_mistakes_goes_on()
    {
        var (start, _, error) = Read(["--config", WriteFile("{}"), "--Urls", "https://127.0.0.1:1;http://localhost:2", "--Tls:CertificateFile=x"]);
        Assert.Equal(2, start.ExitCode);
        Assert.Contains("Tls:KeyFile: is missing beside CertificateFile", error, StringComparison.Ordinal);
        (start, _, _) = Read(["--config", WriteFile("{}"), "--Urls", "http://127.0.0.1:1;http://localhost:2"]);
        Assert.Null(start.ExitCode);
        Assert.All(start.Options.Get<PlatformOptions>().ListenAddresses(), a => Assert.True(a.IsLoopback));
    }

    [Theory]
    [InlineData("http://0.0.0.0:5000", true)]
    [InlineData("http://[::]:5000", true)]
    [InlineData("http://*:80", true)]
    [InlineData("http://+", true)]
    [InlineData("http://localhost:5000/", true)]
    [InlineData("http://example.com:80", false)]
    [InlineData("http://1.2.3.4:70000", false)]
    [InlineData("http://1.2.3.4:80/path", false)]
    [InlineData("http://localhost:0", false)]
    [InlineData("http://::1:80", false)]
    [InlineData("5000", false)]
    [InlineData(";", false)]
    public void An_address_to_listen_on_is_checked(string urls, bool good) =>
        Assert.Equal(good, !new PlatformOptions { Urls = urls }.Validate("").Any());

    private static (PlatformStart Start, string Output, string Error) Read(string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var start = PlatformStart.Read(args, new OptionsSchema().Add<PlatformOptions>(""), output, error);
        return (start, output.ToString(), error.ToString());
    }

    private IConfigurationRoot Load(string[] args, params (string Name, string Value)[] variables) => EntrepotConfiguration.Load(
        CommandLine.Parse(args, _errors), variables.Select(v => new KeyValuePair<string, string?>(v.Name, v.Value)), _folder, _errors).Root;

    private string WriteFile(string text)
    {
        var file = Path.Combine(_folder, EntrepotConfiguration.DefaultFile);
        File.WriteAllText(file, text);
        return file;
    }
}
