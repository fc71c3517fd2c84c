using Entrepot.Cluster;
using Entrepot.Hosting;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Entrepot.UnitTests.Cluster;

public sealed class ClusterSettingsTests
{
    private const string Good = "Host=db;Database=entrepot;Username=entrepot";

    [Theory]
    [InlineData(Good, null)]
    [InlineData(Good + ";Hots=other", "name Npgsql does not know")]
    [InlineData(Good + ";Port=x", "port=")]
    [InlineData("Database=entrepot", "has no Host=")]
    public void A_connection_string_that_cannot_work_is_a_mistake_in_the_settings_and_its_value_is_not_shown(string text, string? named)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Database:ConnectionString"] = text, ["Database:Password"] = "se;cret", ["Bus:Url"] = "amqp://mq/", ["Internal:Token"] = "0123456789abcdef",
            ["Store:Endpoint"] = "http://minio:9000", ["Store:AccessKey"] = "a", ["Store:SecretKey"] = "s",
        };
        var errors = new OptionsSchema().AddCluster().Bind(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).Errors.Select(e => e.ToString()).ToList();
        Assert.Equal(named is null ? 0 : 1, errors.Count);
        if (named is null) return;
        Assert.StartsWith("Database:ConnectionString", errors[0], StringComparison.Ordinal);
        Assert.Contains(named, errors[0], StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("entrepot", errors[0], StringComparison.OrdinalIgnoreCase);
    }
}
